import type { FamilyError } from '../errors';

/** The keys of a JSON object, each read with a check; errors name the file and the key. */
export class ConfigFields {
  private readonly fields: ReadonlyMap<string, unknown>;

  /**
   * @param place the file, for messages
   * @param family makes the errors
   * @param within the key that this object lies under, with a dot after it; none for the whole file
   */
  constructor(
    json: unknown,
    protected readonly place: string,
    protected readonly family: FamilyError,
    protected readonly within = '',
  ) {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) {
      throw this.error(`${within.replace(/\.$/, ' ')}is no JSON object`, json);
    }
    this.fields = new Map(Object.entries(json));
  }

  /** Whether a key is there with a value. */
  has(key: string): boolean {
    return (this.fields.get(key) ?? null) !== null;
  }

  /** What a key holds, unchecked. */
  raw(key: string): unknown {
    return this.fields.get(key);
  }

  /** What a key holds, or the fallback where it is missing or null; `wanted` completes "is 3, but ... is needed". */
  read<Value>(
    key: string,
    fallback: Value | undefined,
    isRight: (value: unknown) => value is Value,
    wanted: string,
  ): Value {
    const value = this.fields.get(key) ?? fallback;
    if (isRight(value)) return value;
    throw this.wrong(key, wanted);
  }

  integer(key: string, fallback: number): number {
    const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
    return this.read(key, fallback, isCount, 'a positive integer');
  }

  fraction(key: string, fallback: number): number {
    const isFraction = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 1;
    return this.read(key, fallback, isFraction, 'a number in [0, 1)');
  }

  flag(key: string, fallback: boolean): boolean {
    return this.read(key, fallback, (value) => typeof value === 'boolean', 'true or false');
  }

  text(key: string, fallback: string): string {
    return this.read(key, fallback, (value) => typeof value === 'string', 'a text');
  }

  tokenId(key: string, fallback: number | null): number | null {
    return this.read(key, fallback, (value) => value === null || isTokenId(value), 'a token id or null');
  }

  wrong(key: string, wanted: string): Error {
    const value = this.fields.get(key);
    return this.error(`${this.within}${key} is ${JSON.stringify(value)}, but ${wanted} is needed`, value);
  }

  error(message: string, value: unknown): Error {
    return this.family('BAD_CONFIG', `${this.place}: ${message}`, { value, place: this.place });
  }
}

/** Whether a value can be a token's id. */
export function isTokenId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
