import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ReadLimits, shown } from '@qlora-js/read-budget';
import { HubError } from '../../error';
import { type Fetch, type RetryOptions } from '../../http/retry';
import { systemCode, systemError } from '../system-error';

/** Bytes of one range; ranges that are ahead of what is written lie in memory. */
const RANGE_BYTES = 16 * 2 ** 20;

/** How far a download is. */
export interface DownloadProgress {
  repo: string;
  /** Path in the repository. */
  file: string;
  /** Bytes on disk so far, those of an earlier attempt included. */
  receivedBytes: number;
  /** Undefined where the server doesn't say. */
  totalBytes: number | undefined;
  /** Speed over the last seconds; undefined before there is any. */
  bytesPerSecond: number | undefined;
  /** Until the file is there at that speed; undefined where size or speed are not known. */
  secondsLeft: number | undefined;
  done: boolean;
}

export interface ResolveModelOptions {
  /** Branch, tag or commit of a hub repository; `main` by default. */
  revision?: string;
  /** By default HF_TOKEN, or the file that `hf auth login` wrote; '' for none. */
  token?: string;
  /** By default HF_ENDPOINT, else https://huggingface.co. */
  endpoint?: string;
  /** By default HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub, shared with the Python stack. */
  cacheDir?: string;
  /** Use the cache alone; by default HF_HUB_OFFLINE. */
  offline?: boolean;
  /** Called when a download starts, for each piece of it, and when it is done. */
  onProgress?: (progress: DownloadProgress) => void;
  fetch?: Fetch;
  retry?: RetryOptions;
  /** Connections by which one large file is fetched at once; 4 by default, 1 for one after the other. */
  connections?: number;
  /** Bytes that each of them is asked for at a time; 16 MiB by default. */
  rangeBytes?: number;
  /** A connection that sends nothing for so long is given up and tried again; 60,000 by default. */
  stallMilliseconds?: number;
  /** What reading one text may cost in memory and work, besides what its length allows. */
  limits?: ReadLimits;
}

export interface HubSettings {
  revision: string;
  token: string | undefined;
  endpoint: string;
  cacheDir: string;
  offline: boolean;
  onProgress: (progress: DownloadProgress) => void;
  fetch: Fetch;
  retry: RetryOptions;
  connections: number;
  /** Bytes that one connection is asked for, where there are several. */
  rangeBytes: number;
  stallMilliseconds: number;
  limits: ReadLimits | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Options completed from the environment, by huggingface_hub's variables (huggingface_hub/constants.py). */
export async function hubSettings(
  options: ResolveModelOptions,
  environment: Environment = process.env,
): Promise<HubSettings> {
  const home =
    environment['HF_HOME'] ||
    join(environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache'), 'huggingface');
  const offline = options.offline ?? isTrue(environment['HF_HUB_OFFLINE'] ?? environment['TRANSFORMERS_OFFLINE']);
  return {
    revision: options.revision ?? 'main',
    token: options.token ?? (offline ? undefined : await environmentToken(environment, home)),
    endpoint: options.endpoint ?? (environment['HF_ENDPOINT'] || 'https://huggingface.co'),
    cacheDir:
      options.cacheDir ?? (environment['HF_HUB_CACHE'] || environment['HUGGINGFACE_HUB_CACHE'] || join(home, 'hub')),
    offline,
    onProgress: options.onProgress ?? (() => undefined),
    fetch: options.fetch ?? globalThis.fetch,
    retry: options.retry ?? {},
    connections: checkedConnections(options.connections ?? 4),
    rangeBytes: options.rangeBytes ?? RANGE_BYTES,
    stallMilliseconds: options.stallMilliseconds ?? 60_000,
    limits: options.limits,
  };
}

function checkedConnections(value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= 64) return value;
  throw new HubError('INVALID_ARGUMENT', `connections is ${shown(value)}: give a whole number from 1 to 64`, { value });
}

async function environmentToken(environment: Environment, home: string): Promise<string | undefined> {
  if (isTrue(environment['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const given = environment['HF_TOKEN'] || environment['HUGGING_FACE_HUB_TOKEN'];
  if (given) return given.trim();
  const path = environment['HF_TOKEN_PATH'] || join(home, 'token');
  try {
    return (await readFile(path, 'utf8')).trim() || undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw systemError(error, 'UNAUTHORIZED', "Can't read the token file", path);
  }
}

/** ENV_VARS_TRUE_VALUES of huggingface_hub. */
function isTrue(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}
