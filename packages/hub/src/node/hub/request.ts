import { HubError } from '../../error';
import { type Fetch } from '../../http/retry';
import { connectionError } from '../../http/status-error';
import { authorization, safeUrl } from '../../http/url';

export interface HubRequest {
  method: 'GET' | 'HEAD';
  url: URL;
  headers?: Readonly<Record<string, string>>;
  token: string | undefined;
  /** Follow redirects to other hosts (a download) or give them back (the hub's answer about a file). */
  followElsewhere: boolean;
  fetch: Fetch;
  signal?: AbortSignal;
}

export interface HubAnswer {
  response: Response;
  /** The hub's headers of every hop on its own host, later ones over earlier ones. */
  headers: Headers;
}

const redirects = [301, 302, 303, 307, 308];
const maxRedirects = 8;

/**
 * Sends a request and follows redirects itself, so that the token goes to the origin it is meant for and to no other,
 * whatever fetch would do.
 */
export async function sendHubRequest(request: HubRequest): Promise<HubAnswer> {
  const home = request.url.origin;
  const headers = new Headers();
  let url = request.url;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await sendOnce(request, url, url.origin === home);
    if (url.origin === home) response.headers.forEach((value, name) => headers.set(name, value));
    const location = redirects.includes(response.status) ? response.headers.get('location') : null;
    if (location === null) return { response, headers };
    const next = nextUrl(location, url);
    if (next.origin !== home && !request.followElsewhere) return { response, headers };
    await response.body?.cancel();
    url = next;
  }
  throw new HubError('HTTP_STATUS', `${safeUrl(request.url)}: the server redirects in a circle`, {
    place: safeUrl(request.url),
  });
}

async function sendOnce(request: HubRequest, url: URL, atHome: boolean): Promise<Response> {
  const headers = {
    // Compression would make Content-Length and ranges those of something else.
    'Accept-Encoding': 'identity',
    ...request.headers,
    ...(atHome ? authorization(request.token, url) : {}),
  };
  try {
    const { method, signal } = request;
    return await request.fetch(url.href, { method, headers, redirect: 'manual', signal });
  } catch (error) {
    throw connectionError(error, url);
  }
}

function nextUrl(location: string, from: URL): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const secure = from.protocol !== 'https:' || next?.protocol === 'https:';
  if (next !== undefined && ['http:', 'https:'].includes(next.protocol) && secure) return next;
  throw new HubError('HTTP_STATUS', `${safeUrl(from)}: the server redirects to ${safeUrl(location)}, refused`, {
    place: safeUrl(from),
  });
}
