import { LlamaError } from '../errors';

/** The keys of a JSON object, each read with a check; errors name the file and the key. */
export class ConfigFields {
  private readonly fields: ReadonlyMap<string, unknown>;

  constructor(
    json: unknown,
    private readonly place: string,
    private readonly prefix = '',
  ) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw this.error(prefix === '' ? 'is not a JSON object' : `${prefix.slice(0, -1)} is no JSON object`, json);
    }
    this.fields = new Map(Object.entries(json));
  }

  /** Whether a key is there with a value. */
  has(key: string): boolean {
    return (this.fields.get(key) ?? null) !== null;
  }

  raw(key: string): unknown {
    return this.fields.get(key);
  }

  integer(key: string, fallback: number): number {
    const value = this.fields.get(key) ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) throw this.wrong(key, 'a positive integer');
    return value;
  }

  /** A positive number; without a fallback it has to be there. */
  positive(key: string, fallback?: number): number {
    const value = this.fields.get(key) ?? fallback;
    if (typeof value !== 'number' || !(value > 0 && value < Infinity)) throw this.wrong(key, 'a positive number');
    return value;
  }

  fraction(key: string, fallback: number): number {
    const value = this.fields.get(key) ?? fallback;
    if (typeof value !== 'number' || !(value >= 0 && value < 1)) throw this.wrong(key, 'a number in [0, 1)');
    return value;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.fields.get(key) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false');
    return value;
  }

  text(key: string): string | undefined {
    const value = this.fields.get(key) ?? undefined;
    if (value !== undefined && typeof value !== 'string') throw this.wrong(key, 'a text');
    return value;
  }

  tokenId(key: string, fallback: number | null): number | null {
    const value = this.fields.get(key) ?? fallback;
    if (value !== null && !isTokenId(value)) throw this.wrong(key, 'a token id or null');
    return value;
  }

  /** One id, several, or none. */
  tokenIds(key: string, fallback: number | null): number[] {
    const value = this.fields.get(key) ?? fallback;
    const ids: unknown[] = value === null ? [] : Array.isArray(value) ? value : [value];
    if (!ids.every(isTokenId)) throw this.wrong(key, 'a token id, a list of them, or null');
    return ids;
  }

  /** An object below a key, or undefined where there is none. */
  nested(key: string): ConfigFields | undefined {
    return this.has(key) ? new ConfigFields(this.fields.get(key), this.place, `${this.prefix}${key}.`) : undefined;
  }

  wrong(key: string, wanted: string): LlamaError {
    const value = this.fields.get(key);
    return this.error(`${this.prefix}${key} is ${JSON.stringify(value)}, but ${wanted} is needed`, value);
  }

  error(message: string, value: unknown): LlamaError {
    return new LlamaError('BAD_CONFIG', `${this.place}: ${message}`, { value, place: this.place });
  }
}

const isTokenId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;
