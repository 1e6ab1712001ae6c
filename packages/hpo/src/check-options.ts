import { HpoError, shown } from './errors';

/** Returns an option that counts something. Throws HpoError `invalid-argument`. */
export function checkAtLeast(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new HpoError('invalid-argument', `${name} must be an integer of at least ${least}, but is ${shown(value)}`, {
    value,
  });
}
