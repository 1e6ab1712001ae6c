import { HubError } from '../error';
import { bufferSource, type ByteSource, checkRange } from '../files/byte-source';
import { contentRange } from './content-range';
import { type Fetch, retrying, type RetryOptions } from './retry';
import { connectionError, statusError } from './status-error';
import { authorization, checkUrl, safeUrl } from './url';

export interface HttpSourceOptions {
  /** The global fetch by default. */
  fetch?: Fetch;
  /** Sent as a bearer token to the URL's own origin; fetch drops it when it follows a redirect to another. */
  token?: string;
  retry?: RetryOptions;
}

/** A server that ignores Range and sends the whole file is put up with to this size, kept in memory. */
const wholeFileLimit = 32 * 2 ** 20;

/**
 * A file behind a URL as a source: each read is one Range request. Throws `NO_RANGE_REQUESTS` where the server sends
 * whole files and this one is over 32 MiB, `FILE_CHANGED` where its size or ETag changed between reads.
 */
export async function httpSource(url: string, options: HttpSourceOptions = {}): Promise<ByteSource> {
  const target = checkUrl(url, 'The address');
  const name = safeUrl(target);
  const request: RangeRequest = { target, ...options };
  const probe = await getRange(request, 0, 1);
  if (probe.whole !== undefined) return bufferSource(probe.whole, name);
  const { total, etag } = probe;
  const source: ByteSource = {
    size: total,
    name,
    read: async (offset, length) => {
      checkRange(source, offset, length);
      if (length === 0) return new Uint8Array(0);
      const answer = await getRange(request, offset, length);
      if (answer.bytes === undefined || answer.total !== total || answer.etag !== etag) {
        throw new HubError('FILE_CHANGED', `${name} was changed on the server while it was read: open it again.`, {
          place: name,
        });
      }
      return answer.bytes;
    },
  };
  return source;
}

interface RangeRequest extends HttpSourceOptions {
  target: URL;
}

interface RangeAnswer {
  bytes?: Uint8Array;
  /** Set instead of `bytes` where the server sent the whole file. */
  whole?: Uint8Array;
  total: number;
  etag: string | null;
}

function getRange(request: RangeRequest, offset: number, length: number): Promise<RangeAnswer> {
  const { target, token, retry } = request;
  return retrying(async () => {
    const headers = { Range: `bytes=${offset}-${offset + length - 1}`, ...authorization(token, target) };
    try {
      const response = await (request.fetch ?? globalThis.fetch)(target.href, { headers });
      const etag = response.headers.get('etag');
      if (response.status === 416 && response.headers.get('content-range') === 'bytes */0') {
        return { whole: new Uint8Array(0), total: 0, etag };
      }
      if (response.status === 200) return { whole: await smallBody(response, target), total: 0, etag };
      if (response.status !== 206) throw statusError(response, target, Boolean(token));
      const range = contentRange(response);
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (range?.start === offset && bytes.byteLength === Math.min(length, range.total - offset)) {
        return { bytes, total: range.total, etag };
      }
    } catch (error) {
      throw connectionError(error, target);
    }
    throw new HubError('HTTP_STATUS', `${safeUrl(target)}: the server sent another range than the one asked for`, {
      place: safeUrl(target),
    });
  }, retry);
}

async function smallBody(response: Response, target: URL): Promise<Uint8Array> {
  const length = Number(response.headers.get('content-length') ?? 0);
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (length <= wholeFileLimit) {
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
      chunks.push(next.value);
      size += next.value.byteLength;
      if (size > wholeFileLimit) break;
    }
    await reader?.cancel();
  } else await response.body?.cancel();
  if (length <= wholeFileLimit && size <= wholeFileLimit) return concatenate(chunks, size);
  throw new HubError(
    'NO_RANGE_REQUESTS',
    `${safeUrl(target)}: the server ignores Range requests, and the file is too large to hold in memory. ` +
      'Use a server that answers them, or download the file first.',
    { place: safeUrl(target) },
  );
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
