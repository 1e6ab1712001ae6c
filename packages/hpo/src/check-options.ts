import { HpoError, shown } from './errors';

/** Returns an option that counts something. Throws HpoError `INVALID_ARGUMENT`. */
export function checkAtLeast(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new HpoError('INVALID_ARGUMENT', `${name} must be an integer of at least ${least}, but is ${shown(value)}`, {
    place: name,
    value,
  });
}

/** `n_trials` and `ntrials` are close to `nTrials`. */
function comparable(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase();
}

/**
 * Refuses options that are no object, and names that mean nothing: a misspelled option would otherwise be as good as
 * left out. Throws HpoError `INVALID_ARGUMENT`.
 * @param place what the options are for
 */
export function checkOptions<Options extends object>(
  place: string,
  options: Options,
  known: readonly (keyof Options & string)[],
): void {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new HpoError('INVALID_ARGUMENT', `the options of ${place} must be an object, but are ${shown(options)}`, {
      place,
      value: options,
    });
  }
  for (const name of Object.keys(options)) {
    if ((known as readonly string[]).includes(name)) continue;
    const meant = known.find((other) => comparable(other) === comparable(name));
    throw new HpoError('INVALID_ARGUMENT', `${place} has no option ${shown(name)}`, {
      place,
      value: name,
      remedy: meant === undefined ? `Its options are ${known.join(', ')}` : `It is called ${meant}`,
    });
  }
}
