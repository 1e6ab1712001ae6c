import { reasonOf, TrackingError } from '../errors';
import { REDACTED } from '../json-safe';

/** No answer of a tracker's server is longer; what is, is nonsense. */
const LONGEST_ANSWER = 16 * 1024 * 1024;

/** A request to a tracker's server. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /** Values that must not be shown, should the server give them back in an error. */
  readonly secrets?: readonly string[];
}

/**
 * The text of an answer of status 2xx. Redirects are not followed: credentials belong to the host they were given for.
 *
 * @throws TrackingError UNREACHABLE, TIMEOUT, SERVER_ERROR (500 and above, 408, 429), REFUSED (3xx, other 4xx), BAD_ANSWER
 */
export async function request({ secrets = [], ...request }: HttpRequest): Promise<string> {
  const place = placeOf(request.url);
  let response: Response;
  let text: string;
  try {
    response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body as BodyInit | undefined,
      redirect: 'manual',
      signal: request.signal,
    });
    text = await limitedText(response, place);
  } catch (error) {
    if (TrackingError.isInstance(error)) throw error;
    if (request.signal.aborted) throw new TrackingError('TIMEOUT', 'no answer in time', { place, cause: error });
    const reason = error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : reasonOf(error);
    throw new TrackingError('UNREACHABLE', `no connection (${hidden(reason, secrets)})`, { place });
  }
  if (response.ok) return text;
  const { status } = response;
  const said = hidden(messageIn(text), secrets);
  const problem = `status ${status}${said === '' ? '' : `: ${said}`}`;
  if (status >= 300 && status < 400) {
    throw new TrackingError('REFUSED', `status ${status}, a redirect, which is not followed`, {
      place,
      remedy: "Give the server's own address",
    });
  }
  if (status >= 500 || status === 408 || status === 429) throw new TrackingError('SERVER_ERROR', problem, { place });
  const remedy = status === 401 || status === 403 ? 'Check the key and what it may do' : undefined;
  throw new TrackingError('REFUSED', problem, { place, remedy, value: status });
}

/** The JSON object of an answer. @throws TrackingError as `request`, and BAD_ANSWER for anything else */
export async function requestJson(options: HttpRequest): Promise<Record<string, unknown>> {
  const text = await request(options);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer as Record<string, unknown>;
  throw new TrackingError('BAD_ANSWER', 'the answer is not a JSON object', {
    place: placeOf(options.url),
    remedy: 'Check that the address is the server of the tracker',
  });
}

/** Host and path: a query may hold a signature. */
export function placeOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname.length > 80 ? `${pathname.slice(0, 77)}...` : pathname}`;
  } catch {
    return 'a server';
  }
}

/** The text without some values. */
export function hidden(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => (secret === '' ? clean : clean.replaceAll(secret, REDACTED)), text);
}

async function limitedText(response: Response, place: string): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > LONGEST_ANSWER) {
      await reader.cancel();
      throw new TrackingError('BAD_ANSWER', `the answer has more than ${LONGEST_ANSWER} bytes`, { place });
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** What an error says of itself, shortened to a line. */
function messageIn(text: string): string {
  let message = text;
  try {
    const { message: own, error, errors } = JSON.parse(text) as Record<string, unknown>;
    const first: unknown = Array.isArray(errors)
      ? (errors[0] as Record<string, unknown> | undefined)?.['message']
      : undefined;
    message = [own, error, first].find((value): value is string => typeof value === 'string') ?? text;
  } catch {
    // Not JSON: its beginning is what there is.
  }
  return message.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
}
