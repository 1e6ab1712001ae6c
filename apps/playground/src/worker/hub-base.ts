import { hubFiles, type ModelFiles } from '@qlora-js/hub';
import { fileIn, filesIn, folderIn, openForWriting, ownFolder, remove, writeFile } from './opfs';
import type { BaseSource } from './protocol';

/** The hub's address; build/content-security-policy.ts sets it together with the policy that allows it. */
const ENDPOINT: string = import.meta.env['QLORA_PLAYGROUND_HUB'] as string;

/** All bases that were fetched, a folder each. */
const CACHE = 'bases';
/** Written after all else. */
const WHOLE = 'whole';

/** What a model's folder may have that is used; weights in one of these forms. */
const SMALL_FILES = [
  'config.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];
const WEIGHTS = ['model.safetensors', 'pytorch_model.bin'];
const INDEX = 'model.safetensors.index.json';

/** Bytes of one request. */
const CHUNK = 8 * 2 ** 20;

/** A repository of the hub. */
export interface HubRepository {
  /** `organisation/name` */
  readonly repo: string;
  readonly revision: string;
}

/**
 * A model of the hub in the browser's own files: fetched once, with its size held against what is free before the first
 * byte of weights, and found there later.
 */
export async function hubBase(
  { repo, revision }: HubRepository,
  onProgress: (loaded: number, total: number) => void,
): Promise<BaseSource> {
  const files = hubFiles({ repo, revision, endpoint: ENDPOINT });
  const cache = await ownFolder(CACHE);
  if (cache === undefined) throw new Error('this browser keeps no files for pages here: drop the folder of the model');
  const name = encodeURIComponent(`${repo}@${revision}`);
  const known = await folderIn(cache, name);
  if (known === undefined || (await fileIn(known, WHOLE)) === undefined) {
    await remove(cache, name);
    await fetchInto(await cache.getDirectoryHandle(name, { create: true }), files, onProgress);
  }
  const { [WHOLE]: _, ...found } = await filesIn(await cache.getDirectoryHandle(name));
  return { kind: 'files', id: repo, revision, files: found };
}

async function fetchInto(
  folder: FileSystemDirectoryHandle,
  files: ModelFiles,
  onProgress: (loaded: number, total: number) => void,
): Promise<void> {
  const sources = await Promise.all(
    (await pathsOf(files)).map(async (path) => ({ path, source: await files.open(path) })),
  );
  const total = sources.reduce((sum, { source }) => sum + source.size, 0);
  await checkRoom(files.id, total);
  let loaded = 0;
  for (const { path, source } of sources) {
    const access = await openForWriting(folder, path);
    try {
      access.truncate(0);
      for (let at = 0; at < source.size; at += CHUNK) {
        const bytes = await source.read(at, Math.min(CHUNK, source.size - at));
        access.write(new Uint8Array(bytes), { at });
        onProgress((loaded += bytes.length), total);
      }
      access.flush();
    } finally {
      access.close();
    }
  }
  await writeFile(folder, WHOLE, '');
}

/** Paths of a model's files: its weights in one form, and what there is beside them. */
async function pathsOf(files: ModelFiles): Promise<string[]> {
  const there = async (paths: readonly string[]): Promise<string[]> => {
    const has = await Promise.all(paths.map((path) => files.has(path)));
    return paths.filter((_, index) => has[index]);
  };
  const small = await there(SMALL_FILES);
  const [weights] = await there(WEIGHTS);
  if (weights !== undefined) return [...small, weights];
  if (!(await files.has(INDEX))) {
    throw new Error(`${files.id} has none of ${[...WEIGHTS, INDEX].join(', ')}: it is no model that can be used here`);
  }
  const { weight_map: map } = (await files.json(INDEX)) as { readonly weight_map?: Readonly<Record<string, unknown>> };
  const shards = new Set(Object.values(map ?? {}).filter((shard) => typeof shard === 'string'));
  return [...small, INDEX, ...shards];
}

async function checkRoom(id: string, bytes: number): Promise<void> {
  const { quota = Infinity, usage = 0 } = await navigator.storage.estimate();
  if (bytes <= quota - usage) return;
  const megabytes = (value: number): string => `${Math.ceil(value / 1e6)} MB`;
  throw new Error(
    `${id} has ${megabytes(bytes)}, but this browser lets the page keep ${megabytes(quota - usage)} more: make room, or choose a smaller model`,
  );
}
