import { type Distribution, type ParamValue } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { orderedRecord } from '../ordered-record';
import { type ReportedValues } from './reported-values';

/** WAITING: enqueued, not begun. RUNNING: begun. The other three are ends. Source: optuna.trial.TrialState. */
export type TrialState = 'RUNNING' | 'COMPLETE' | 'PRUNED' | 'FAIL' | 'WAITING';

export type FinishedState = Exclude<TrialState, 'RUNNING' | 'WAITING'>;

/** Whether a state is one of the three ends. */
export function isFinished(state: TrialState): state is FinishedState {
  return state !== 'RUNNING' && state !== 'WAITING';
}

/** What a storage knows of a trial at one moment. It never changes; a later look gives another object. */
export interface FrozenTrial {
  /** Number in the study, from 0. */
  readonly number: number;
  /** Number in the storage. */
  readonly id: number;
  readonly state: TrialState;
  /** The objective's value, or undefined where there is none (unfinished, failed, or pruned before any report). */
  readonly value: number | undefined;
  /** The values of a study with several objectives, which this package reads but does not optimise. */
  readonly values: readonly number[] | undefined;
  /** By name, in the order of suggestion. One of `unreadableParams` throws HpoError `UNSUPPORTED` when it is read. */
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly distributions: Readonly<Record<string, Distribution>>;
  /** Parameters that another program stored and this package can't hold, such as one whose choices are lists: why not. */
  readonly unreadableParams: Readonly<Record<string, string>>;
  /** Reported values by step. */
  readonly intermediateValues: ReportedValues;
  readonly userAttrs: Readonly<Record<string, JsonValue>>;
  readonly systemAttrs: Readonly<Record<string, JsonValue>>;
  readonly datetimeStart: Date | undefined;
  readonly datetimeComplete: Date | undefined;
}

/** A trial's parameters as a record; the value of one that can't be read throws HpoError `UNSUPPORTED`. */
export function paramsRecord(
  values: Iterable<readonly [name: string, value: ParamValue]>,
  unreadable: Readonly<Record<string, string>>,
): Readonly<Record<string, ParamValue>> {
  const refused = Object.entries(unreadable).map(([name, problem]) => {
    const refuse = (): never => {
      throw unreadableParam(name, problem);
    };
    return [name, refuse] as const;
  });
  return orderedRecord(values, orderedRecord(refused));
}

/** The error of a parameter that this package can't hold. */
export function unreadableParam(name: string, problem: string): HpoError {
  return new HpoError('UNSUPPORTED', `parameter ${shown(name)} can't be used here: ${problem}`, {
    place: name,
    remedy: 'Use another name for it, or another study',
  });
}

const constraintPrefix = 'constraints:';

/** System attribute that holds a constraint's value. Source: optuna.study._constrained_optimization. */
export function constraintKey(name: string): string {
  return constraintPrefix + name;
}

/** The values of a trial's constraints; one above 0 makes it infeasible. */
function constraintValues(trial: FrozenTrial): number[] {
  const values: number[] = [];
  const old = Object.hasOwn(trial.systemAttrs, 'constraints') ? trial.systemAttrs['constraints'] : undefined;
  if (Array.isArray(old)) values.push(...old.filter((value): value is number => typeof value === 'number'));
  for (const [key, value] of Object.entries(trial.systemAttrs)) {
    if (key.startsWith(constraintPrefix) && typeof value === 'number') values.push(value);
  }
  return values;
}

/** Sum of a trial's violated constraints: 0 for a feasible one. */
export function infeasibility(trial: FrozenTrial): number {
  return constraintValues(trial).reduce((sum, value) => (value > 0 ? sum + value : sum), 0);
}
