import { type ReadBudget, shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { type ByteSource } from '../files/byte-source';
import { pickleCosts } from './limits';

/** A stored (not compressed) file inside a zip archive. */
export interface ZipEntry {
  /** Its path in the archive. */
  readonly name: string;
  /** Bytes of its data. */
  readonly size: number;
  /** Where its local header lies; the data follows that header, whose length only the file itself says. */
  readonly headerOffset: number;
}

/** An end record is at least this long; a comment of up to 65,535 bytes may follow it (APPNOTE 4.3.16). */
const endBytes = 22;
const locatorBytes = 20;
const end64Bytes = 56;
const maxDirectoryBytes = 100_000_000;
const lenientUtf8 = new TextDecoder();

/** Whether a file begins as a zip archive does. */
export async function startsAsZip(source: ByteSource): Promise<boolean> {
  if (source.size < endBytes) return false;
  const start = await source.read(0, 4);
  return start[0] === 0x50 && start[1] === 0x4b && start[2] === 3 && start[3] === 4;
}

/** Reads a zip's central directory (PKWARE APPNOTE 6.3), zip64 included. Every entry is checked against the file. */
export async function readZipDirectory(source: ByteSource, budget: ReadBudget): Promise<Map<string, ZipEntry>> {
  const place = source.name;
  const { offset, length, count } = await findDirectory(source);
  if (length > maxDirectoryBytes || offset + length > source.size)
    throw corrupt(place, 'its directory leaves the file');
  const account = budget.document(place, length);
  const bytes = await source.read(offset, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    account.spend(...pickleCosts.zipEntry);
    if (at + 46 > length || view.getUint32(at, true) !== 0x02014b50) throw corrupt(place, 'its directory is damaged');
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const nameStart = at + 46;
    const next = nameStart + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > length) throw corrupt(place, 'its directory is damaged');
    const name = lenientUtf8.decode(bytes.subarray(nameStart, nameStart + nameLength));
    const fields = new DataView(view.buffer, view.byteOffset + nameStart + nameLength, extraLength);
    const entry = { name, ...sizes(view, at, fields, place) };
    if (flags & 1) throw unsupported(place, `its entry ${shown(name)} is encrypted`);
    if (method !== 0 || entry.size !== entry.compressedSize) {
      throw unsupported(place, `its entry ${shown(name)} is compressed; torch.save stores entries as they are`);
    }
    if (entry.headerOffset + entry.size > offset) throw corrupt(place, `its entry ${shown(name)} leaves the file`);
    if (entries.has(name)) throw corrupt(place, `it has two entries ${shown(name)}`);
    entries.set(name, entry);
    at = next;
  }
  return entries;
}

/** First byte of an entry's data. Its local header repeats the directory, but for an extra field of another length. */
export async function zipDataOffset(source: ByteSource, entry: ZipEntry): Promise<number> {
  const header = await source.read(entry.headerOffset, 30);
  const view = new DataView(header.buffer, header.byteOffset, 30);
  if (view.getUint32(0, true) !== 0x04034b50) throw corrupt(source.name, `entry ${shown(entry.name)} has no header`);
  return entry.headerOffset + 30 + view.getUint16(26, true) + view.getUint16(28, true);
}

async function findDirectory(source: ByteSource): Promise<{ offset: number; length: number; count: number }> {
  const tailLength = Math.min(source.size, endBytes + 65535);
  const tailStart = source.size - tailLength;
  const tail = await source.read(tailStart, tailLength);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let end = tailLength - endBytes;
  while (end >= 0 && !(view.getUint32(end, true) === 0x06054b50 && isEnd(view, end))) end--;
  if (end < 0) {
    throw new HubError(
      'TRUNCATED_FILE',
      `${source.name}: a zip archive without its end. The file is truncated or damaged: fetch it again.`,
      { place: source.name },
    );
  }
  const count = view.getUint16(end + 10, true);
  const length = view.getUint32(end + 12, true);
  const offset = view.getUint32(end + 16, true);
  if (count !== 0xffff && length !== 0xffffffff && offset !== 0xffffffff) return { offset, length, count };
  const locator = end - locatorBytes;
  if (locator < 0 || view.getUint32(locator, true) !== 0x07064b50) return { offset, length, count };
  const end64 = uint64(view, locator + 8, source.name);
  const record = await source.read(end64, end64Bytes);
  const record64 = new DataView(record.buffer, record.byteOffset, end64Bytes);
  if (record64.getUint32(0, true) !== 0x06064b50) throw corrupt(source.name, 'its zip64 record is damaged');
  return {
    count: uint64(record64, 32, source.name),
    length: uint64(record64, 40, source.name),
    offset: uint64(record64, 48, source.name),
  };
}

/** An end record fills the file to its end with its comment; the signature alone may stand in any data. */
function isEnd(view: DataView, at: number): boolean {
  return at + endBytes + view.getUint16(at + 20, true) === view.byteLength;
}

function sizes(view: DataView, at: number, extra: DataView, place: string) {
  const result = {
    compressedSize: view.getUint32(at + 20, true),
    size: view.getUint32(at + 24, true),
    headerOffset: view.getUint32(at + 42, true),
  };
  // Zip64: 8-byte values stand in this order for those of the three that are all ones (APPNOTE 4.5.3).
  for (let field = 0; field + 4 <= extra.byteLength;) {
    const [id, length] = [extra.getUint16(field, true), extra.getUint16(field + 2, true)];
    const stop = Math.min(field + 4 + length, extra.byteLength);
    let value = field + 4;
    if (id === 1) {
      for (const key of ['size', 'compressedSize', 'headerOffset'] as const) {
        if (result[key] !== 0xffffffff || value + 8 > stop) continue;
        result[key] = uint64(extra, value, place);
        value += 8;
      }
    }
    field = stop;
  }
  return result;
}

function uint64(view: DataView, at: number, place: string): number {
  const value = view.getBigUint64(at, true);
  if (value > 2n ** 52n) throw corrupt(place, `a size of ${value} bytes`);
  return Number(value);
}

function corrupt(place: string, problem: string): HubError {
  return new HubError('CORRUPT_FILE', `${place} is not a valid zip archive: ${problem}. Fetch it again.`, { place });
}

function unsupported(place: string, problem: string): HubError {
  return new HubError('UNSUPPORTED', `${place}: ${problem}. Save it again with torch.save.`, { place });
}
