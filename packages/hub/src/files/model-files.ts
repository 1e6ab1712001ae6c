import { type DocumentBudget, parseJson, type ReadLimits } from '@qlora-js/read-budget';
import { type Checkpoint } from '../checkpoint/checkpoint';
import { HubError, readBudget } from '../error';
import { blobSource, bufferSource, type ByteSource } from './byte-source';
import { checkRelativePath } from './path';

/** Files to be read by name, such as an adapter's or a checkpoint's. Paths are relative, with `/`. */
export interface ReadableFiles {
  /** What errors and reports call it: a folder or a repository id. */
  readonly id: string;
  /** Whether there is a file at that path. */
  has(path: string): Promise<boolean>;
  /** The file as UTF-8. */
  text(path: string): Promise<string>;
  /** The file's bytes, in ranges. */
  open(path: string): Promise<Pick<ByteSource, 'size' | 'read'>>;
}

/** The files of one model, wherever they are: a folder, the hub, a page's uploads, memory. */
export interface ModelFiles extends ReadableFiles {
  /** Throws `HubError` `NOT_FOUND` where there is no such file. */
  open(path: string): Promise<ByteSource>;
  /** The file as UTF-8, without a byte order mark. Throws `CORRUPT_FILE` where it isn't UTF-8. */
  text(path: string): Promise<string>;
  /** The file as JSON, unchecked beyond that. Throws `CORRUPT_FILE` where it isn't JSON. */
  json(path: string): Promise<unknown>;
  /** Opens weights that lie in a form of their own (GGUF); `openCheckpoint` asks here first. */
  openWeights?(): Promise<Checkpoint>;
}

/** How a model's texts are read. */
export interface FilesOptions {
  /** What reading one text may cost in memory and work, besides what its length allows. */
  readonly limits?: ReadLimits;
}

/** Builds the whole interface over `has` and `open`. */
export function modelFiles(
  id: string,
  files: Pick<ModelFiles, 'has' | 'open'>,
  { limits }: FilesOptions = {},
): ModelFiles {
  const read = async (path: string): Promise<{ content: string; account: DocumentBudget }> => {
    const source = await files.open(path);
    const account = readBudget(limits).document(source.name, source.size);
    // The decoded text, besides the bytes.
    account.spend(0, source.size);
    try {
      const content = new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size));
      return { content, account };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new HubError('CORRUPT_FILE', `${source.name} is not UTF-8 text: fetch it again.`, { place: source.name });
    }
  };
  return {
    id,
    has: files.has,
    open: files.open,
    text: async (path) => (await read(path)).content,
    json: async (path) => {
      const { content, account } = await read(path);
      return parseJson(content, account);
    },
  };
}

/** Files in memory, or Blobs that a page was given: for tests, and for models that a page or a package carries with it. */
export function memoryFiles(
  id: string,
  files: Readonly<Record<string, Blob | Uint8Array | string>>,
  options: FilesOptions = {},
): ModelFiles {
  const contents = new Map(Object.entries(files));
  return modelFiles(
    id,
    {
      has: async (path) => {
        checkRelativePath(path, id);
        return contents.has(path);
      },
      open: async (path) => {
        checkRelativePath(path, id);
        const content = contents.get(path);
        if (content === undefined) throw missingFile(id, path);
        if (content instanceof Blob) return blobSource(content, `${id}/${path}`);
        return bufferSource(typeof content === 'string' ? new TextEncoder().encode(content) : content, `${id}/${path}`);
      },
    },
    options,
  );
}

/** The error for a path that a model has no file at. */
export function missingFile(id: string, path: string): HubError {
  return new HubError('NOT_FOUND', `${id} has no file ${path}`, { place: `${id}/${path}`, value: path });
}
