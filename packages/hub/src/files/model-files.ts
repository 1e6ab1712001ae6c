import { HubError, shown } from '../error';
import { bufferSource, type ByteSource } from './byte-source';
import { checkRelativePath } from './path';

/** The files of one model, wherever they are: a folder, the hub, a page's uploads, memory. Paths are relative, with `/`. */
export interface ModelFiles {
  /** What errors and reports call it: a folder or a repository id. */
  readonly id: string;
  has(path: string): Promise<boolean>;
  /** Throws `HubError` `NOT_FOUND` where there is no such file. */
  open(path: string): Promise<ByteSource>;
  /** The file as UTF-8, without a byte order mark. Throws `CORRUPT_FILE` where it isn't UTF-8. */
  text(path: string): Promise<string>;
  /** The file as JSON, unchecked beyond that. Throws `CORRUPT_FILE` where it isn't JSON. */
  json(path: string): Promise<unknown>;
}

/** Texts are vocabularies, merges, configs and indexes; the largest known stay below 50 MB. */
const maxTextBytes = 200_000_000;

/** Builds the whole interface over `has` and `open`. */
export function modelFiles(id: string, files: Pick<ModelFiles, 'has' | 'open'>): ModelFiles {
  const text = async (path: string): Promise<string> => {
    const source = await files.open(path);
    if (source.size > maxTextBytes) {
      throw new HubError('UNSUPPORTED', `${source.name}: ${source.size} bytes are too many for a text file`, {
        place: source.name,
      });
    }
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new HubError('CORRUPT_FILE', `${source.name} is not UTF-8 text: fetch it again.`, { place: source.name });
    }
  };
  return {
    id,
    has: files.has,
    open: files.open,
    text,
    json: async (path) => {
      const content = await text(path);
      try {
        return JSON.parse(content) as unknown;
      } catch {
        // The parser's message quotes the file, which may be anything.
        const place = `${id}/${path}`;
        throw new HubError('CORRUPT_FILE', `${place} is not JSON (it starts ${shown(content.slice(0, 40))})`, {
          place,
        });
      }
    },
  };
}

/** Files in memory: for tests, and for models that a page or a package carries with it. */
export function memoryFiles(id: string, files: Readonly<Record<string, Uint8Array | string>>): ModelFiles {
  const contents = new Map(Object.entries(files));
  return modelFiles(id, {
    has: async (path) => {
      checkRelativePath(path, id);
      return contents.has(path);
    },
    open: async (path) => {
      checkRelativePath(path, id);
      const content = contents.get(path);
      if (content === undefined) throw missingFile(id, path);
      return bufferSource(typeof content === 'string' ? new TextEncoder().encode(content) : content, `${id}/${path}`);
    },
  });
}

export function missingFile(id: string, path: string): HubError {
  return new HubError('NOT_FOUND', `${id} has no file ${path}`, { place: `${id}/${path}`, value: path });
}
