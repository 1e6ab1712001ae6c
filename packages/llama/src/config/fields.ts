import { ConfigFields, isTokenId } from '@qlora-js/gpt2';
import { llamaError } from '../errors';

/** What Llama's configs hold besides what every config does: numbers without an end, lists, objects within. */
export class LlamaFields extends ConfigFields {
  constructor(json: unknown, place: string, within?: string) {
    super(json, place, llamaError, within);
  }

  /** A positive number; without a fallback it has to be there. */
  positive(key: string, fallback?: number): number {
    const isPositive = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < Infinity;
    return this.read(key, fallback, isPositive, 'a positive number');
  }

  /** One id, several, or none. */
  tokenIds(key: string, fallback: number | null): number[] {
    const value = this.raw(key) ?? fallback;
    const ids: unknown[] = value === null ? [] : Array.isArray(value) ? value : [value];
    if (!ids.every(isTokenId)) throw this.wrong(key, 'a token id, a list of them, or null');
    return ids;
  }

  /** An object below a key, or undefined where there is none. */
  nested(key: string): LlamaFields | undefined {
    return this.has(key) ? new LlamaFields(this.raw(key), this.place, `${this.within}${key}.`) : undefined;
  }
}
