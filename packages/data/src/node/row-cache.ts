import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError } from '../errors';
import { jsonlRows } from '../stream/jsonl-rows';
import { rowStream, type RowStream } from '../stream/row-stream';
import { fileSource } from './open-data';

/** What rows depend on: hashes of files, options, names of versions. */
export type CacheKey = Readonly<Record<string, string | number | boolean | null>>;

/** Where rows are kept, and how they are made where they are not there. */
export interface RowCacheOptions<Row extends object> {
  /** Made where it is missing. */
  readonly folder: string;
  /** All that the rows depend on; other values are other rows. */
  readonly key: CacheKey;
  /** The rows; their epoch 0 is what is kept. */
  readonly rows: RowStream<Row>;
  /** Takes a line where rows are made, and where those that are there are damaged. Default console.warn. */
  readonly log?: (line: string) => void;
}

/** What stands beside the rows, written last: rows without it are not there. */
interface Manifest {
  readonly format: 1;
  readonly key: CacheKey;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** Bytes that are written at a time. */
const BLOCK = 1 << 18;

/**
 * Tokenized rows that are kept on disk and made once: looked up by what they are made of, so that nothing stale is ever read.
 * Every byte is checked against its hash before the first row is given; damaged rows are made again. Two processes may fill the
 * same cache at once; both write the same bytes.
 *
 * @returns the rows, with their length and a fingerprint
 * @throws DataError UNWRITABLE, with nothing half-written left; and what the rows throw
 */
export async function cachedRows<Row extends object>(
  options: RowCacheOptions<Row>,
): Promise<RowStream<Row> & Required<Pick<RowStream, 'length' | 'fingerprint'>>> {
  const { folder, key, rows, log = (line: string) => console.warn(line) } = options;
  const sorted = Object.fromEntries(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1)));
  const name = createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 32);
  const path = join(folder, `${name}.jsonl`);
  let manifest = await readManifest(folder, name);
  if (manifest !== undefined && (await digestOf(path)) !== manifest.sha256) {
    log(`${path} is damaged: its rows are made again`);
    manifest = undefined;
  }
  if (manifest === undefined) {
    log(`${path}: rows are made and kept`);
    manifest = await unwritableIfFails(folder, () => fill({ folder, name, key: sorted }, rows));
  }
  const { rows: length, sha256: fingerprint } = manifest;
  const stream = rowStream(() => storedRows<Row>(path), { length, fingerprint });
  return { ...stream, length, fingerprint };
}

/** SHA-256 of a file in hexadecimal, a block in memory at a time; for keys of caches. @throws DataError MISSING_FILE */
export async function fileSha256(path: string): Promise<string> {
  const digest = await digestOf(path);
  if (digest === undefined) throw new DataError('MISSING_FILE', `cannot read ${path}`, path);
  return digest;
}

async function* storedRows<Row extends object>(path: string): AsyncIterable<Row> {
  yield* jsonlRows<Row>(await fileSource(path, basename(path))).rows(0);
}

async function readManifest(folder: string, name: string): Promise<Manifest | undefined> {
  try {
    const read = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as Partial<Manifest> | null;
    const counts = [read?.rows, read?.bytes].every((count) => Number.isSafeInteger(count) && count! >= 0);
    return read?.format === 1 && counts && typeof read.sha256 === 'string' ? (read as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

async function digestOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const block of createReadStream(path)) hash.update(block as Uint8Array);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}

interface Place {
  readonly folder: string;
  readonly name: string;
  readonly key: CacheKey;
}

/** Writes rows beside, then their manifest, each renamed once it is whole. */
async function fill<Row extends object>({ folder, name, key }: Place, rows: RowStream<Row>): Promise<Manifest> {
  await mkdir(folder, { recursive: true });
  await removeLeftovers(folder, name);
  const partial = join(folder, `${name}.partial-${process.pid}`);
  const hash = createHash('sha256');
  let [count, bytes] = [0, 0];
  try {
    const file = await open(partial, 'w');
    try {
      let waiting: string[] = [];
      let size = 0;
      const write = async (): Promise<void> => {
        const block = Buffer.from(waiting.join(''));
        hash.update(block);
        await file.writeFile(block);
        bytes += block.length;
        [waiting, size] = [[], 0];
      };
      for await (const row of rows.rows(0)) {
        const line = `${JSON.stringify(row, plainArrays)}\n`;
        waiting.push(line);
        size += line.length;
        count++;
        if (size >= BLOCK) await write();
      }
      await write();
      await file.sync();
    } finally {
      await file.close();
    }
    const manifest: Manifest = { format: 1, key, rows: count, bytes, sha256: hash.digest('hex') };
    await rename(partial, join(folder, `${name}.jsonl`));
    await writeFile(partial, `${JSON.stringify(manifest, null, 1)}\n`);
    await rename(partial, join(folder, `${name}.json`));
    return manifest;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Typed arrays as lists: JSON would make objects of them. */
function plainArrays(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
}

/** What processes that are no more have left of these rows. */
async function removeLeftovers(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    const [, rows, pid] = /^([0-9a-f]{32})\.partial-(\d+)$/.exec(entry) ?? [];
    if (rows === name && !isAlive(Number(pid))) await rm(join(folder, entry), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function unwritableIfFails<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || !['ENOSPC', 'EROFS', 'EACCES', 'EPERM', 'EDQUOT', 'EIO', 'ENOTDIR'].includes(code))
      throw error;
    throw new DataError(
      'UNWRITABLE',
      `rows can't be kept in ${folder}: ${message}; name another folder, or make room`,
      folder,
    );
  }
}
