import { parseJson, type ReadBudget } from '@qlora-js/read-budget';
import { quote, TokenizerError } from './errors';

/** The object that a file holds, given as its text or already parsed; see `readObject`. */
export function readFile(
  source: unknown,
  { place, budget }: { readonly place: string; readonly budget: ReadBudget },
): Map<string, unknown> {
  if (typeof source !== 'string') return readObject(source, place);
  return readObject(parseJson(source, budget.document(place, source.length)), place);
}

/** An object as a Map of its own keys; undefined and null give an empty one. */
export function readObject(value: unknown, place: string): Map<string, unknown> {
  if (value === undefined || value === null) return new Map();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenizerError('INVALID_CONFIG', `${place} must be an object, not ${quote(value)}`, { value });
  }
  return new Map(Object.entries(value));
}
