import { DataError, shown } from '../errors';
import { DEFAULT_LIMITS, tooLarge, type DataLimits } from './limits';

/** A file of known size that can be read at any place; `ByteSource` of @qlora-js/hub is one. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes, or text taken as UTF-8, that are in memory. */
export function bytesSource(content: Uint8Array | string, name: string): ByteSource {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
        throw new DataError('MISSING_FILE', `${name} has ${bytes.length} bytes, not ${length} from ${offset} on`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** A Blob, or a File that a page was given. */
export function blobSource(blob: Blob, name = (blob as Partial<File>).name ?? 'blob'): ByteSource {
  return {
    name,
    size: blob.size,
    read: async (offset, length) => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/**
 * What a stream brings, read to its end: standard input, the body of a response, a file of a page.
 * @throws DataError `TOO_LARGE` at the first byte over the limit, with the stream cancelled
 */
export async function streamSource(
  stream: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
  { name, limits = DEFAULT_LIMITS }: { readonly name: string; readonly limits?: DataLimits },
): Promise<ByteSource> {
  return bytesSource(await collected(stream, { name, maxBytes: limits.maxBytes }), name);
}

/** All bytes of a stream in one array. */
export async function collected(
  stream: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
  { name, maxBytes }: { readonly name: string; readonly maxBytes: number },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of Symbol.asyncIterator in stream ? stream : chunksOf(stream)) {
    if (!(chunk instanceof Uint8Array)) {
      throw new DataError('INVALID_OPTION', `${name}: a stream of bytes is needed, it gave ${shown(chunk)}`, chunk);
    }
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(name, `it unpacks to more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Safari's streams can't be iterated. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
