import { Buffer } from 'node:buffer';
import { TrackingError } from '../../errors';
import { hidden, placeOf, request, requestJson } from '../http';

/** The address, the key, and the patience of calls to W&B. */
export interface WandbApiOptions {
  /** Such as https://api.wandb.ai. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly signal: AbortSignal;
}

/** What a GraphQL answer holds under `data`. */
export type Answer = Readonly<Record<string, unknown>>;

/** The calls of W&B's protocol; the key goes to `baseUrl` and nowhere else. */
export class WandbApi {
  private readonly authorization: string;
  private readonly secrets: readonly string[];

  constructor(private readonly options: WandbApiOptions) {
    const encoded = Buffer.from(`api:${options.apiKey}`).toString('base64');
    this.authorization = `Basic ${encoded}`;
    this.secrets = [options.apiKey, encoded];
  }

  /** @throws TrackingError as `request`, REFUSED for errors that GraphQL names */
  async graphql(operationName: string, query: string, variables: Answer): Promise<Answer> {
    const url = `${this.options.baseUrl}/graphql`;
    const { data, errors } = await this.post(url, { operationName, query, variables });
    if (Array.isArray(errors) && errors.length > 0) {
      const message = textAt(errors[0], 'message') ?? 'an error without a message';
      throw new TrackingError('REFUSED', `${operationName}: ${hidden(message.slice(0, 200), this.secrets)}`, {
        place: placeOf(url),
      });
    }
    if (typeof data === 'object' && data !== null) return data as Answer;
    throw new TrackingError('BAD_ANSWER', `${operationName}: the answer holds no data`, { place: placeOf(url) });
  }

  /** Sends lines of a run's files. */
  async fileStream(run: { entity: string; project: string; id: string }, body: Answer): Promise<void> {
    const path = [run.entity, run.project, run.id].map(encodeURIComponent).join('/');
    await this.post(`${this.options.baseUrl}/files/${path}/file_stream`, body);
  }

  /** Puts bytes where an answer said; without the key, which is not for storages. */
  async upload(url: string, headers: readonly string[], body: string | Uint8Array): Promise<void> {
    const named = headers.map((header) => /^([^:]+):\s*(.*)$/s.exec(header)).filter((match) => match !== null);
    await request({
      method: 'PUT',
      url: new URL(url, this.options.baseUrl).href,
      headers: Object.fromEntries(named.map(([, name, value]) => [name!, value!])),
      body,
      signal: this.options.signal,
      secrets: this.secrets,
    });
  }

  private async post(url: string, body: Answer): Promise<Answer> {
    return requestJson({
      method: 'POST',
      url,
      headers: { authorization: this.authorization, 'content-type': 'application/json', 'user-agent': 'qlora.js' },
      body: JSON.stringify(body),
      signal: this.options.signal,
      secrets: this.secrets,
    });
  }
}

/** The value under some keys, or undefined where the answer has no such place. */
export function at(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let here = value;
  for (const key of keys) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string | number, unknown>)[key];
  }
  return here;
}

/** The text under some keys, or undefined. */
export function textAt(value: unknown, ...keys: readonly (string | number)[]): string | undefined {
  const found = at(value, ...keys);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** The text under some keys of an answer. @throws TrackingError BAD_ANSWER that names them */
export function neededText(value: unknown, operation: string, keys: readonly (string | number)[]): string {
  const found = textAt(value, ...keys);
  if (found !== undefined) return found;
  throw new TrackingError('BAD_ANSWER', `${operation}: the answer has no ${keys.join('.')}`, {
    place: 'Weights & Biases',
  });
}
