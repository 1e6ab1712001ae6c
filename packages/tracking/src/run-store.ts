import { TrackingError } from './errors';

/** Where the JSON lines of one run lie, and what each tracker has seen of them. */
export interface RunStore {
  /** Where that is, for messages. */
  readonly place: string;
  /**
   * Appends whole lines. Once it returns they survive the process.
   *
   * @throws TrackingError WRITE_FAILED; the lines are then as before
   */
  append(lines: string): void;
  /** Up to `maximum` bytes from a byte offset on; none at the end. @throws TrackingError READ_FAILED */
  read(offset: number, maximum: number): Promise<Uint8Array>;
  /** Bytes of lines there are. */
  size(): number;
  /** What `writeState` kept last under the name. @throws TrackingError READ_FAILED */
  readState(name: string): Promise<string | undefined>;
  /** Keeps a text under a name, whole or not at all. @throws TrackingError WRITE_FAILED */
  writeState(name: string, text: string): Promise<void>;
  /**
   * Makes this process the only one that feeds a tracker from these lines, until the call that it gives back.
   *
   * @throws TrackingError IN_USE where another one does
   */
  claim(name: string): () => void;
  /** The bytes of a file of an artifact. @throws TrackingError READ_FAILED */
  readFile(folder: string, path: string): Promise<Uint8Array>;
  /** Makes the lines outlive the machine, and ends the writing. @throws TrackingError WRITE_FAILED */
  close(): void;
}

/** A store in memory, for tests and for pages that have no files. `text` is all lines so far. */
export function memoryStore(): RunStore & { readonly text: string } {
  const states = new Map<string, string>();
  let bytes = new Uint8Array(1024);
  let size = 0;
  return {
    place: 'memory',
    get text() {
      return new TextDecoder().decode(bytes.subarray(0, size));
    },
    append: (lines) => {
      const more = new TextEncoder().encode(lines);
      if (size + more.length > bytes.length) {
        const longer = new Uint8Array(2 * (size + more.length));
        longer.set(bytes);
        bytes = longer;
      }
      bytes.set(more, size);
      size += more.length;
    },
    read: async (offset, maximum) => bytes.slice(offset, Math.min(size, offset + maximum)),
    size: () => size,
    readState: async (name) => states.get(name),
    writeState: async (name, text) => void states.set(name, text),
    claim: () => () => undefined,
    readFile: async (folder, path) => {
      throw new TrackingError('READ_FAILED', 'a run in memory has no files', { place: `${folder}/${path}` });
    },
    close: () => undefined,
  };
}
