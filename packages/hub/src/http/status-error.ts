import { HubError } from '../error';
import { TransientError } from './retry';
import { safeUrl } from './url';

/** Turns a response that is no success into an error that says what to do. */
export function statusError(response: Response, requested: URL, hasToken: boolean): HubError {
  const place = safeUrl(requested);
  const { status } = response;
  const kind = response.headers.get('x-error-code') ?? '';
  const fail = (code: ConstructorParameters<typeof HubError>[0], problem: string): HubError =>
    new HubError(code, `${place}: ${problem}`, { place, value: status });
  const access = hasToken ? 'Check that your token may read it' : 'If it is private, set HF_TOKEN or give a token';
  if (kind === 'GatedRepo') {
    return fail('GATED', `access to this model must be granted first: ask for it on its page. ${access}.`);
  }
  if (kind === 'RevisionNotFound') return fail('NOT_FOUND', 'the repository has no such revision. Check the spelling.');
  if (kind === 'RepoNotFound') return fail('NOT_FOUND', `there is no such repository. Check the spelling. ${access}.`);
  if (kind === 'EntryNotFound') return fail('NOT_FOUND', 'the repository has no such file.');
  switch (status) {
    case 401:
      // The hub answers so for a repository that does not exist, too.
      return fail('UNAUTHORIZED', `the server wants a token, or there is no such repository. ${access}.`);
    case 403:
      return fail('UNAUTHORIZED', `the server refuses access. ${access}.`);
    case 404:
    case 410:
      return fail('NOT_FOUND', `there is no such file. Check repository, revision and path. ${access}.`);
    case 429: {
      const wait = retryAfter(response);
      const until = wait === undefined ? 'Wait' : `It asks to wait ${Math.ceil(wait / 1000)} s: try again then`;
      const message = `${place}: the server limits the rate of requests. ${until}, or go with a token.`;
      return new TransientError('RATE_LIMITED', message, { place, value: status }, wait);
    }
    case 408:
    case 500:
    case 502:
    case 503:
    case 504: {
      const message = `${place}: the server failed with status ${status}. Try again later.`;
      return new TransientError('HTTP_STATUS', message, { place, value: status }, retryAfter(response));
    }
    default:
      return fail('HTTP_STATUS', `the server answered with status ${status}.`);
  }
}

/** A request that got no answer. The cause's own text may quote the request, so only its code is passed on. */
export function connectionError(error: unknown, requested: URL): HubError {
  if (HubError.isInstance(error)) return error;
  const place = safeUrl(requested);
  const inner: unknown = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code: unknown = inner instanceof Error && 'code' in inner ? inner.code : undefined;
  const reason = typeof code === 'string' ? code : inner instanceof Error ? inner.name : 'no reason given';
  const message = `${place}: the connection failed (${reason}). Check the network and the endpoint.`;
  return new TransientError('NETWORK', message, { place });
}

/** Retry-After in milliseconds: seconds or a date (RFC 9110, 10.2.3). */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get('retry-after');
  if (text === null) return undefined;
  const milliseconds = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(milliseconds) ? undefined : Math.max(0, milliseconds);
}
