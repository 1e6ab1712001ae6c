import { type ReadBudget, shown } from '@qlora-js/read-budget';
import { HubError, readBudget } from '../error';
import { type ModelFiles } from '../files/model-files';
import { type OpenOptions, openSafetensorsWithin, unknownTensor } from '../safetensors/open';
import { type TensorFile } from '../tensor';
import { type Checkpoint } from './checkpoint';
import { readShardIndex } from './shard-index';

interface Format {
  readonly name: Checkpoint['format'];
  readonly file: string;
  readonly open: (
    source: Awaited<ReturnType<ModelFiles['open']>>,
    budget: ReadBudget,
  ) => Promise<TensorFile & { others?: readonly string[] }>;
}

/** In the order of transformers' `_get_resolved_checkpoint_files`: safetensors before pickles, one file before shards. */
const formats: readonly Format[] = [
  { name: 'safetensors', file: 'model.safetensors', open: openSafetensorsWithin },
  {
    name: 'pytorch',
    file: 'pytorch_model.bin',
    // Loaded with the first such file: pages mostly read others.
    open: async (...file) => (await import('../pickle/open')).openPyTorchCheckpointWithin(...file),
  },
];

/**
 * Opens the weights of a model: `model.safetensors`, `model.safetensors.index.json` with its shards,
 * `pytorch_model.bin` or `pytorch_model.bin.index.json`, the first that is there. All headers are read and checked now,
 * so that a missing or truncated shard is known before any work; tensors are read later, one by one.
 */
export async function openCheckpoint(files: ModelFiles, options: OpenOptions = {}): Promise<Checkpoint> {
  if (files.openWeights !== undefined) return files.openWeights();
  const budget = readBudget(options.limits);
  for (const format of formats) {
    if (await files.has(format.file)) return single(files, format, budget);
    const index = `${format.file}.index.json`;
    if (await files.has(index)) return sharded(files, { format, index, budget });
  }
  const tried = formats.flatMap(({ file }) => [file, `${file}.index.json`]).join(', ');
  throw new HubError(
    'NOT_FOUND',
    `${files.id} holds no weights: none of ${tried}. Give the folder or repository that transformers' ` +
      'save_pretrained wrote.',
    { place: files.id },
  );
}

async function single(files: ModelFiles, format: Format, budget: ReadBudget): Promise<Checkpoint> {
  const file = await format.open(await files.open(format.file), budget);
  const owner = new Map([...file.tensors.keys()].map((name) => [name, file]));
  return union(files.id, format.name, [format.file], owner, file.others ?? []);
}

async function sharded(
  files: ModelFiles,
  { format, index: indexPath, budget }: { format: Format; index: string; budget: ReadBudget },
): Promise<Checkpoint> {
  const place = `${files.id}/${indexPath}`;
  const weightMap = readShardIndex(await files.json(indexPath), place);
  const shards = new Map<string, TensorFile & { others?: readonly string[] }>();
  const owner = new Map<string, TensorFile>();
  for (const [name, path] of weightMap) {
    let shard = shards.get(path);
    if (shard === undefined) {
      if (!(await files.has(path))) {
        throw new HubError(
          'NOT_FOUND',
          `${files.id} has no file ${path}, which ${indexPath} names as the shard of ${shown(name)}. Fetch that file too.`,
          { place: `${files.id}/${path}`, value: path },
        );
      }
      shard = await format.open(await files.open(path), budget);
      shards.set(path, shard);
    }
    if (!shard.tensors.has(name)) {
      throw new HubError(
        'UNKNOWN_TENSOR',
        `${files.id}/${path} has no tensor ${shown(name)}, although ${indexPath} says so. ` +
          'Index and shards are not of one model: fetch all of them again.',
        { place: `${files.id}/${path}`, value: name },
      );
    }
    owner.set(name, shard);
  }
  for (const [path, shard] of shards) {
    for (const name of shard.tensors.keys()) {
      if (owner.get(name) === shard) continue;
      const other = weightMap.get(name);
      const problem = other === undefined ? `does not list it` : `says that it lies in ${other}`;
      throw new HubError(
        'CORRUPT_FILE',
        `${files.id}/${path} holds tensor ${shown(name)}, but ${indexPath} ${problem}. ` +
          'Index and shards are not of one model: fetch all of them again.',
        { place: `${files.id}/${path}`, value: name },
      );
    }
  }
  const others = [...shards.values()].flatMap((shard) => shard.others ?? []);
  return union(files.id, format.name, [...shards.keys()], owner, others);
}

function union(
  id: string,
  format: Checkpoint['format'],
  files: readonly string[],
  owner: ReadonlyMap<string, TensorFile>,
  others: readonly string[],
): Checkpoint {
  const fileOf = (name: string): TensorFile => {
    const file = owner.get(name);
    if (file === undefined) throw unknownTensor(id, name);
    return file;
  };
  return {
    id,
    format,
    files,
    others,
    names: () => [...owner.keys()],
    has: (name) => owner.has(name),
    info: (name) => fileOf(name).tensors.get(name)!,
    read: async (name) => fileOf(name).read(name),
  };
}
