import { shown } from '@qlora-js/read-budget';
import { HubError } from '../../error';
import { retrying } from '../../http/retry';
import { statusError } from '../../http/status-error';
import { resolveUrl, safeUrl } from '../../http/url';
import { sendHubRequest } from './request';
import { type HubSettings } from './settings';
import { stallGuard } from './stall-guard';

/** What the hub says about one file. */
export interface RemoteFile {
  path: string;
  url: URL;
  /** Commit that the revision stands for. */
  commit: string;
  /** Name of its blob in the cache: the SHA-256 of an LFS file, the git id of any other. */
  etag: string;
  /** Undefined where the server doesn't say. */
  size: number | undefined;
}

/** Undefined as `file` where the repository has no such file; its commit may be known all the same. */
export interface RemoteAnswer {
  file?: RemoteFile;
  commit?: string;
}

/**
 * Asks the hub about a file: a HEAD request that is not followed to the storage behind it, as the hub's own answer has
 * the commit and the linked file's ETag and size (huggingface_hub, get_hf_file_metadata).
 */
export async function askAboutFile(
  settings: HubSettings,
  repo: string,
  path: string,
  revision: string,
): Promise<RemoteAnswer> {
  const { endpoint, token, fetch, retry } = settings;
  const url = resolveUrl({ endpoint, repo, revision, path });
  const { response, headers } = await retrying(async () => {
    const stall = stallGuard(url, settings.stallMilliseconds);
    try {
      const answer = await sendHubRequest({
        method: 'HEAD',
        url,
        token,
        followElsewhere: false,
        fetch,
        signal: stall.signal,
      });
      const { status } = answer.response;
      if (status < 400 || status === 404) return answer;
      throw statusError(answer.response, url, Boolean(token));
    } finally {
      stall.stop();
    }
  }, retry);
  const commit = headers.get('x-repo-commit') ?? undefined;
  if (commit !== undefined && !/^[\w-]{1,64}$/.test(commit)) throw notHub(url, `its commit is ${shown(commit)}`);
  if (response.status === 404) {
    const kind = headers.get('x-error-code');
    if (kind !== null && kind !== 'EntryNotFound') throw statusError(response, url, Boolean(token));
    return { commit };
  }
  if (commit === undefined) throw notHub(url, 'it does not say the commit (X-Repo-Commit)');
  const etag = (headers.get('x-linked-etag') ?? headers.get('etag'))?.replace(/^W\//, '').replace(/^"(.*)"$/, '$1');
  if (etag === undefined || !/^\w[\w.-]{0,127}$/.test(etag)) throw notHub(url, `its ETag is ${shown(etag)}`);
  // The length of a redirect is not that of the file.
  const length = headers.get('x-linked-size') ?? (response.status < 300 ? headers.get('content-length') : null);
  const size = length === null ? undefined : Number(length);
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0))
    throw notHub(url, `its size is ${shown(length)}`);
  return { commit, file: { path, url, commit, etag, size } };
}

function notHub(url: URL, problem: string): HubError {
  return new HubError(
    'HTTP_STATUS',
    `${safeUrl(url)}: the server does not answer as the Hugging Face hub does: ${problem}. Check the endpoint (HF_ENDPOINT).`,
    { place: safeUrl(url) },
  );
}
