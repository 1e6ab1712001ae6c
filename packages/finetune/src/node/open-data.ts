import type { DataFiles } from '@qlora-js/data';
import { openData } from '@qlora-js/data/node';
import { offlinePaths, resolveModel } from '@qlora-js/hub/node';
import { FinetuneError } from '../errors';
import type { HubOptions } from './open-base';

/** Branch on which the hub keeps every data set as Parquet files. */
const PARQUET_REVISION = 'refs/convert/parquet';

/** Bytes of an answer that lists a repository's files. */
const MAX_LISTING = 20_000_000;

/** How a data set is found by one word. */
export interface FindDataOptions {
  /** For a data set on the hub; a revision is a branch with files of its own, the default the hub's Parquet files. */
  readonly hub?: HubOptions;
  /** Name of the configuration, where a data set on the hub has several. */
  readonly config?: string;
}

/**
 * A data set by a file, a folder, `-` for standard input, or an id on the Hugging Face hub (`datasets/organisation/name`, or
 * `hf://organisation/name`).
 */
export async function findData(word: string, { hub = {}, config }: FindDataOptions = {}): Promise<DataFiles> {
  const id = /^(?:datasets\/|hf:\/\/(?:datasets\/)?)([\w.-]+(?:\/[\w.-]+)?)$/.exec(word)?.[1];
  if (id === undefined) return openData(word);
  const revision = hub.revision ?? PARQUET_REVISION;
  const files = await resolveModel(`datasets/${id}`, { ...hub, revision });
  // Offline, what an earlier run has read is the whole of it.
  const cached = await offlinePaths(`datasets/${id}`, { ...hub, revision });
  const paths = cached ?? (await listRepository(id, revision, hub));
  const chosen = revision === PARQUET_REVISION ? ofConfig(paths, id, config) : paths;
  return { id: `datasets/${id}`, list: async () => chosen, open: (path) => files.open(path) };
}

/** Parquet files lie in a folder a configuration: `default/train/0000.parquet`. */
function ofConfig(paths: readonly string[], id: string, config: string | undefined): string[] {
  const configs = [...new Set(paths.filter((path) => path.endsWith('.parquet')).map((path) => path.split('/')[0]!))];
  const name = config ?? (configs.length === 1 ? configs[0] : configs.find((own) => own === 'default'));
  if (name !== undefined && configs.includes(name)) return paths.filter((path) => path.startsWith(`${name}/`));
  throw new FinetuneError(
    'BAD_ARGUMENT',
    `${id} has the configurations ${configs.slice(0, 20).join(', ') || 'none, and no Parquet files'}`,
    {
      value: config,
      remedy: 'name one of them',
    },
  );
}

async function listRepository(id: string, revision: string, { token, endpoint }: HubOptions): Promise<string[]> {
  const origin = endpoint ?? (process.env['HF_ENDPOINT'] || 'https://huggingface.co');
  const secret = token ?? process.env['HF_TOKEN'];
  const url = `${origin}/api/datasets/${id}/tree/${encodeURIComponent(revision)}?recursive=true`;
  const fail = (cause: string): FinetuneError =>
    new FinetuneError('BAD_ARGUMENT', `the files of the data set ${id} can't be listed: ${cause}`, { value: id });
  const response = await fetch(url, secret ? { headers: { Authorization: `Bearer ${secret}` } } : {}).catch(() => {
    throw fail(`${origin} can't be reached`);
  });
  if (!response.ok) throw fail(`the hub answers ${response.status}`);
  const text = await response.text();
  if (text.length > MAX_LISTING) throw fail('the answer is too long');
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries)) throw fail('the answer is no list');
  return entries
    .filter((entry): entry is { path: string; type: string } => {
      const { path, type } = (entry ?? {}) as { path?: unknown; type?: unknown };
      return typeof path === 'string' && type === 'file';
    })
    .map(({ path }) => path)
    .sort();
}
