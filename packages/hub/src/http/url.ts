import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';

/** A URL as it may stand in an error or a log: query (signed links), fragment and credentials are left out. */
export function safeUrl(url: string | URL): string {
  try {
    const { origin, protocol, pathname } = new URL(url);
    // Addresses without a host (file:, data:) have the origin "null", and may hold anything.
    return origin === 'null' ? `an address that starts ${protocol}` : `${origin}${pathname}`;
  } catch {
    return 'an invalid URL';
  }
}

/** An absolute http(s) URL without credentials, which belong in `token`. */
export function checkUrl(url: string, what: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new HubError('INVALID_ARGUMENT', `${what} is not a URL`, { value: safeUrl(url) });
  }
  if (!['http:', 'https:'].includes(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    throw new HubError(
      'INVALID_ARGUMENT',
      `${what} ${safeUrl(url)} must be http(s), without a user or password in it`,
      {
        value: safeUrl(url),
      },
    );
  }
  return parsed;
}

/**
 * The Authorization header for a URL, or none. The token is checked first, because fetch quotes a header that it
 * refuses in its error, and it goes unencrypted to this machine only.
 */
export function authorization(token: string | undefined, url: URL): Record<string, string> {
  if (token === undefined || token === '') return {};
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new HubError('INVALID_ARGUMENT', 'The token has characters that no token has (spaces, line ends, accents).');
  }
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !here) {
    throw new HubError(
      'INVALID_ARGUMENT',
      `Your token would go unencrypted to ${url.origin}: use an https endpoint, or give token: '' to go without.`,
      { value: url.origin },
    );
  }
  return { Authorization: `Bearer ${token}` };
}

/** What the id of a data set begins with, as in its address. */
const DATASETS = 'datasets/';

/** Whether an id is `datasets/organisation/name`. */
export function isDatasetId(id: string): boolean {
  return id.startsWith(DATASETS) && id.split('/').length === 3;
}

/**
 * Throws unless `id` is a repository id as the hub allows it (huggingface_hub, validate_repo_id), of a model or, behind
 * `datasets/`, of a data set.
 */
export function checkRepoId(id: string): void {
  const name = isDatasetId(id) ? id.slice(DATASETS.length) : id;
  const plain =
    name.length <= 96 &&
    /^[A-Za-z0-9_]([\w.-]*\w)?(\/\w([\w.-]*\w)?)?$/.test(name) &&
    !name.includes('--') &&
    !name.includes('..') &&
    !name.endsWith('.git');
  if (plain) return;
  throw new HubError(
    'INVALID_ARGUMENT',
    `${shown(id)} is neither a folder nor a repository id: those look like "name" or "organisation/name", ` +
      'of letters, digits, "-", "_" and ".", 96 at most.',
    { value: id },
  );
}

/** Throws unless `revision` is a branch, tag, reference or commit id that is safe as a path. */
export function checkRevision(revision: string): void {
  const parts = revision.split('/');
  const plain = revision.length <= 255 && parts.every((part) => /^[\w.+@-]+$/.test(part) && !/^\.+$/.test(part));
  if (plain) return;
  throw new HubError('INVALID_ARGUMENT', `${shown(revision)} is not a branch, tag or commit`, { value: revision });
}

export interface HubFile {
  endpoint: string;
  repo: string;
  revision: string;
  path: string;
}

/** `ENDPOINT/REPO/resolve/REVISION/PATH`, the hub's address of a file (huggingface_hub, hf_hub_url). */
export function resolveUrl({ endpoint, repo, revision, path }: HubFile): URL {
  const base = checkUrl(endpoint, 'The endpoint').href.replace(/\/+$/, '');
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return new URL(`${base}/${repo}/resolve/${encodeURIComponent(revision)}/${encoded}`);
}
