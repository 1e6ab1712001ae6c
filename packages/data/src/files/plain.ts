import { DataError } from '../errors';
import { bytesSource, collected, type ByteSource } from './byte-source';
import { tooLarge, type DataLimits } from './limits';

/** RFC 1952: the first two bytes of every gzip file. */
const GZIP = [0x1f, 0x8b] as const;

/**
 * The file without its gzip packing, where it has one (told by its first bytes, not by its name).
 * @throws DataError `TOO_LARGE`, before more than the limit is unpacked; `MISSING_FILE` for a damaged gzip file
 */
export async function plainSource(source: ByteSource, { maxBytes }: DataLimits): Promise<ByteSource> {
  if (source.size > maxBytes) throw tooLarge(source.name, `${source.size} bytes are more than ${maxBytes}`);
  const head = await source.read(0, Math.min(2, source.size));
  if (head[0] !== GZIP[0] || head[1] !== GZIP[1]) return source;
  const packed = await source.read(0, source.size);
  const name = source.name.replace(/\.gz$/i, '');
  const unpacked = new Blob([new Uint8Array(packed)]).stream().pipeThrough(new DecompressionStream('gzip'));
  try {
    return bytesSource(await collected(unpacked, { name: source.name, maxBytes }), name);
  } catch (error) {
    if (DataError.isInstance(error)) throw error;
    throw new DataError('MISSING_FILE', `${source.name} is not whole gzip data: fetch or pack it again`);
  }
}

/** @throws DataError `NOT_UTF8` */
export async function textOf(source: ByteSource): Promise<string> {
  const bytes = await source.read(0, source.size);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new DataError('NOT_UTF8', `${source.name} is ${utf16 ? 'UTF-16' : 'not UTF-8 text'}; save it as UTF-8`);
  }
}
