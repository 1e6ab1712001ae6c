import { BaseMiniError } from './errors';
import { readUrl } from './read-url';

/** A file of known size that can be read at any place; @qlora-js/hub's ByteSource. */
export interface BaseMiniSource {
  /** Length in bytes. */
  readonly size: number;
  /** What errors call it. */
  readonly name: string;
  /** Exactly `length` bytes from `offset` on, as a view: copy before writing to it. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** The files of the embedded base; @qlora-js/hub's ModelFiles, so every loader and tokenizer here takes it. */
export interface BaseMiniFiles {
  readonly id: string;
  has(path: string): Promise<boolean>;
  /** Throws BaseMiniError NO_SUCH_FILE, or UNREADABLE where the package lost a file. */
  open(path: string): Promise<BaseMiniSource>;
  text(path: string): Promise<string>;
  json(path: string): Promise<unknown>;
}

/**
 * Where each file lies, the same from src and from dist. Written out one by one, because bundlers take
 * `new URL('literal', import.meta.url)` for an asset and carry it along.
 */
const FILES: ReadonlyMap<string, () => URL> = new Map([
  ['config.json', () => new URL('../weights/config.json', import.meta.url)],
  ['model.safetensors', () => new URL('../weights/model.safetensors', import.meta.url)],
  ['vocab.json', () => new URL('../weights/vocab.json', import.meta.url)],
  ['merges.txt', () => new URL('../weights/merges.txt', import.meta.url)],
  ['tokenizer_config.json', () => new URL('../weights/tokenizer_config.json', import.meta.url)],
  ['quantisation.json', () => new URL('../weights/quantisation.json', import.meta.url)],
  ['README.md', () => new URL('../weights/README.md', import.meta.url)],
]);

const ID = '@qlora-js/base-mini';

/** How the files are read. */
export interface BaseMiniOptions {
  /** Called as bytes of a file arrive in a browser; `total` is undefined where the server does not say how many there are. */
  readonly onProgress?: (path: string, loaded: number, total: number | undefined) => void;
}

/**
 * The small GPT-2 base that this package carries: 4-bit weights (blocks and embedding), config, vocabulary, card. In
 * Node it is read from the package's folder, in browsers fetched from beside the module; nothing else is contacted.
 */
export async function baseMiniFiles({ onProgress }: BaseMiniOptions = {}): Promise<BaseMiniFiles> {
  const bytes = (path: string): Promise<Uint8Array> => {
    const url = FILES.get(path);
    if (url === undefined) {
      throw new BaseMiniError('NO_SUCH_FILE', `${ID} has no file ${path}; it has ${[...FILES.keys()].join(', ')}`);
    }
    return readUrl(url(), onProgress && ((loaded, total) => onProgress(path, loaded, total)));
  };
  const text = async (path: string): Promise<string> => new TextDecoder().decode(await bytes(path));
  return {
    id: ID,
    has: async (path) => FILES.has(path),
    open: async (path) => memorySource(await bytes(path), `${ID}/${path}`),
    text,
    json: async (path) => JSON.parse(await text(path)) as unknown,
  };
}

function memorySource(bytes: Uint8Array, name: string): BaseMiniSource {
  return {
    size: bytes.length,
    name,
    read: async (offset, length) => {
      const fits = [offset, length].every((value) => Number.isSafeInteger(value) && value >= 0);
      if (!fits || offset + length > bytes.length) {
        throw new BaseMiniError(
          'OUT_OF_RANGE',
          `${name} has ${bytes.length} bytes, but ${length} from ${offset} on were asked for: install the package again`,
        );
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}
