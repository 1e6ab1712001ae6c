import { HubError } from '../error';

/** A file of known size that can be read at any place: a buffer, a Blob, a file on disk, a URL. */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /** What errors call it: a path or a URL, never with credentials. */
  readonly name: string;
  /**
   * Exactly `length` bytes from `offset` on. The result may be a view on memory that the source keeps: copy before
   * writing to it. Throws `HubError` `TRUNCATED_FILE` where the range leaves the file.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Throws unless `offset` and `length` are whole numbers inside the source. */
export function checkRange(source: { size: number; name: string }, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new HubError('INVALID_ARGUMENT', `${source.name}: can't read ${length} bytes at ${offset}`, {
      place: source.name,
      value: [offset, length],
    });
  }
  if (offset + length > source.size) {
    throw new HubError(
      'TRUNCATED_FILE',
      `${source.name}: needs bytes ${offset} to ${offset + length}, but the file ends at ${source.size}. ` +
        'It is truncated or damaged: fetch it again.',
      { place: source.name, value: [offset, length] },
    );
  }
}

/** Bytes in memory as a source; reads are views, nothing is copied. */
export function bufferSource(bytes: Uint8Array, name = 'buffer'): ByteSource {
  const source: ByteSource = {
    size: bytes.byteLength,
    name,
    read: async (offset, length) => {
      checkRange(source, offset, length);
      return bytes.subarray(offset, offset + length);
    },
  };
  return source;
}

/** A Blob or File (an upload in a page) as a source; only the ranges asked for are read. */
export function blobSource(blob: Blob, name = 'name' in blob ? String(blob.name) : 'blob'): ByteSource {
  const source: ByteSource = {
    size: blob.size,
    name,
    read: async (offset, length) => {
      checkRange(source, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
  return source;
}
