import { checkOptions } from '../check-options';
import { HpoError, shown } from '../errors';
import { wholeSteps } from './decimal';

/** What a categorical parameter may be: what JSON and Optuna's storages can hold. */
export type CategoricalChoice = null | boolean | number | string;
export type ParamValue = CategoricalChoice;

/** A real number in [low, high]; with `log`, uniform in its logarithm; with `step`, one of low, low + step, ..., high. */
export interface FloatDistribution {
  readonly kind: 'float';
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number | undefined;
}

/** An integer in [low, high] in steps of `step`; with `log`, uniform in its logarithm. */
export interface IntDistribution {
  readonly kind: 'int';
  readonly low: number;
  readonly high: number;
  readonly log: boolean;
  readonly step: number;
}

/** One of a list of choices without an order. Its internal value is the index in that list. */
export interface CategoricalDistribution<Choice extends CategoricalChoice = CategoricalChoice> {
  readonly kind: 'categorical';
  readonly choices: readonly Choice[];
}

export type NumericalDistribution = FloatDistribution | IntDistribution;
export type Distribution = NumericalDistribution | CategoricalDistribution;

/** Parameter names and what each may be. */
export type SearchSpace = Readonly<Record<string, Distribution>>;

/** Parameters by name, of which no type knows the names. */
export type AnyParams = Readonly<Record<string, ParamValue>>;

/** The parameters that come of a search space, by its own names: what is misspelled does not compile. */
export type ParamsOf<Space extends SearchSpace> = {
  readonly [Name in keyof Space]: Space[Name] extends CategoricalDistribution<infer Choice> ? Choice : number;
};

export interface NumericalOptions {
  low: number;
  high: number;
  log?: boolean;
  step?: number;
}

function invalid(problem: string, value: unknown): HpoError {
  return new HpoError('INVALID_DISTRIBUTION', problem, { value });
}

function checkBounds(options: NumericalOptions): void {
  checkOptions('a distribution', options, ['low', 'high', 'log', 'step']);
  const { low, high, log, step } = options;
  for (const [name, bound] of [
    ['low', low],
    ['high', high],
  ] as const) {
    if (!Number.isFinite(bound)) throw invalid(`${name} must be a finite number, but is ${shown(bound)}`, bound);
  }
  if (low > high) throw invalid(`low must not be above high, but low is ${low} and high is ${high}`, [low, high]);
  if (step !== undefined && !(Number.isFinite(step) && step > 0)) {
    throw invalid(`step must be a finite number above 0, but is ${shown(step)}`, step);
  }
  if (log !== undefined && typeof log !== 'boolean') throw invalid(`log must be a boolean, but is ${shown(log)}`, log);
}

/**
 * A distribution over real numbers. A `high` that no whole number of steps reaches is lowered to the last that one
 * does. Throws HpoError `INVALID_DISTRIBUTION`. Source: optuna.distributions.FloatDistribution.
 */
export function floatDistribution(options: NumericalOptions): FloatDistribution {
  checkBounds(options);
  const { low, log = false, step } = options;
  if (log && step !== undefined) throw invalid('step has no meaning with log: leave one of them out', step);
  if (log && low <= 0) throw invalid(`low must be above 0 with log, but is ${low}`, low);
  const high = step === undefined ? options.high : wholeSteps({ low, high: options.high, step }).reached;
  return Object.freeze({ kind: 'float', low, high, log, step });
}

/**
 * A distribution over integers. A `high` that no whole number of steps reaches is lowered to the last that one does.
 * Throws HpoError `INVALID_DISTRIBUTION`. Source: optuna.distributions.IntDistribution.
 */
export function intDistribution(options: NumericalOptions): IntDistribution {
  checkBounds(options);
  const { low, log = false, step = 1 } = options;
  for (const value of [low, options.high, step]) {
    if (!Number.isSafeInteger(value)) {
      throw invalid(`low, high and step must be integers within 2 ** 53, but one is ${value}`, value);
    }
  }
  if (!Number.isSafeInteger(options.high - low)) {
    throw invalid(`the range from ${low} to ${options.high} is wider than 2 ** 53`, [low, options.high]);
  }
  if (log && step !== 1) throw invalid(`step must be 1 with log, but is ${step}`, step);
  if (log && low < 1) throw invalid(`low must be at least 1 with log, but is ${low}`, low);
  return Object.freeze({ kind: 'int', low, high: options.high - ((options.high - low) % step), log, step });
}

/** A distribution over choices. Throws HpoError `INVALID_DISTRIBUTION`. Source: optuna.distributions.CategoricalDistribution. */
export function categoricalDistribution<const Choice extends CategoricalChoice>(
  choices: readonly Choice[],
): CategoricalDistribution<Choice> {
  if (!Array.isArray(choices) || choices.length === 0) {
    throw invalid(`choices must be an array of one or more, but is ${shown(choices)}`, choices);
  }
  for (const choice of choices as readonly unknown[]) {
    if (choice !== null && typeof choice !== 'boolean' && typeof choice !== 'number' && typeof choice !== 'string') {
      throw invalid(`a choice must be null, a boolean, a number or a string, but one is ${shown(choice)}`, choice);
    }
  }
  return Object.freeze({ kind: 'categorical', choices: Object.freeze([...(choices as readonly Choice[])]) });
}

/** Whether there is nothing to choose. */
export function isSingle(distribution: Distribution): boolean {
  if (distribution.kind === 'categorical') return distribution.choices.length === 1;
  const { low, high, step } = distribution;
  if (low === high) return true;
  return step !== undefined && wholeSteps({ low, high, step }).steps === 0n;
}

/** The only value of a distribution for which `isSingle` holds. */
export function singleValue(distribution: Distribution): ParamValue {
  return distribution.kind === 'categorical' ? distribution.choices[0]! : distribution.low;
}

/**
 * A parameter's value as storages and samplers hold it: the number itself, or the index of the choice.
 * Throws HpoError `INVALID_VALUE` where the distribution can't hold such a value; being in range is `contains`' question.
 */
export function toInternal(distribution: Distribution, value: unknown, name: string): number {
  const refuse = (need: string) =>
    new HpoError('INVALID_VALUE', `parameter ${shown(name)} must be ${need}, but is ${shown(value)}`, {
      place: name,
      value,
    });
  if (distribution.kind === 'categorical') {
    const index = distribution.choices.findIndex((choice) => Object.is(choice, value) || choice === value);
    if (index < 0) throw refuse(`one of ${shown(distribution.choices)}`);
    return index;
  }
  if (typeof value !== 'number' || Number.isNaN(value)) throw refuse('a number');
  if (distribution.log && value <= 0) throw refuse('above 0, its distribution being logarithmic,');
  return value;
}

/** The parameter's value for its internal one: the number (an integer for IntDistribution), or the choice at that index. */
export function toExternal(distribution: Distribution, internal: number): ParamValue {
  if (distribution.kind === 'float') return internal;
  if (distribution.kind === 'int') return Math.trunc(internal);
  return distribution.choices[Math.trunc(internal)]!;
}

/** Whether an internal value lies in the distribution. Source: the `_contains` methods of optuna.distributions. */
export function contains(distribution: Distribution, internal: number): boolean {
  if (distribution.kind === 'categorical') {
    const index = Math.trunc(internal);
    return index >= 0 && index < distribution.choices.length;
  }
  const { low, high } = distribution;
  if (!(internal >= low && internal <= high)) return false;
  if (distribution.kind === 'int') return (internal - low) % distribution.step === 0;
  if (distribution.step === undefined) return true;
  const steps = (internal - low) / distribution.step;
  return Math.abs(steps - Math.round(steps)) < 1e-8;
}

function sameChoices(a: readonly CategoricalChoice[], b: readonly CategoricalChoice[]): boolean {
  return a.length === b.length && a.every((choice, i) => choice === b[i] || Object.is(choice, b[i]));
}

/** Whether two distributions are the same. */
export function sameDistribution(a: Distribution, b: Distribution): boolean {
  if (a === b) return true;
  if (a.kind === 'categorical' || b.kind === 'categorical') {
    return a.kind === 'categorical' && b.kind === 'categorical' && sameChoices(a.choices, b.choices);
  }
  return a.kind === b.kind && a.low === b.low && a.high === b.high && a.log === b.log && a.step === b.step;
}

/**
 * Throws HpoError `INCOMPATIBLE_DISTRIBUTION` where one name can't have both distributions in one study: another kind,
 * another log, other choices. Bounds and step may change. Source: optuna.distributions.check_distribution_compatibility.
 */
export function checkCompatible({
  name,
  before,
  now,
}: {
  name: string;
  before: Distribution;
  now: Distribution;
}): void {
  const refuse = (problem: string) =>
    new HpoError(
      'INCOMPATIBLE_DISTRIBUTION',
      `parameter ${shown(name)} ${problem}: ${shown(before)} before, ${shown(now)} now`,
      { place: name, value: now, remedy: 'Use another name for it, or another study' },
    );
  if (before.kind !== now.kind) throw refuse('changed its kind');
  if (before.kind === 'categorical' || now.kind === 'categorical') {
    if (!sameDistribution(before, now)) throw refuse('changed its choices');
  } else if (before.log !== now.log) throw refuse('changed its log');
}
