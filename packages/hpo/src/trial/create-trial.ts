import { checkOptions } from '../check-options';
import { contains, type Distribution, type ParamValue, toInternal } from '../distribution/distribution';
import { HpoError, shown } from '../errors';
import { jsonCopy, type JsonValue } from '../json-value';
import { orderedRecord } from '../ordered-record';
import { type TrialTemplate, trialTemplate } from '../storage/storage';
import { constraintKey, isFinished, type TrialState } from './frozen-trial';
import { ReportedValues } from './reported-values';

/** What a trial is made of that ran elsewhere. */
export interface CreateTrialOptions {
  /** Default: COMPLETE. */
  state?: TrialState;
  /** The objective's value; needed for COMPLETE. */
  value?: number;
  params?: Readonly<Record<string, ParamValue>>;
  /** One for each of the parameters. */
  distributions?: Readonly<Record<string, Distribution>>;
  userAttrs?: Readonly<Record<string, JsonValue>>;
  systemAttrs?: Readonly<Record<string, JsonValue>>;
  /** Reported values by step. */
  intermediateValues?: ReadonlyMap<number, number> | Readonly<Record<number, number>>;
  /** Values of constraints by name; one above 0 makes the trial infeasible. */
  constraints?: Readonly<Record<string, number>>;
}

/**
 * A trial for `study.addTrial`, its times being now. Throws HpoError `INVALID_ARGUMENT`, `INVALID_VALUE`.
 * Source: optuna.trial.create_trial.
 */
export function createTrial(options: CreateTrialOptions): TrialTemplate {
  checkOptions('createTrial', options, [
    'state',
    'value',
    'params',
    'distributions',
    'userAttrs',
    'systemAttrs',
    'intermediateValues',
    'constraints',
  ]);
  const { state = 'COMPLETE', value, params = {}, distributions = {}, intermediateValues = new Map() } = options;
  const now = new Date();
  const reports =
    intermediateValues instanceof Map || intermediateValues instanceof ReportedValues
      ? [...(intermediateValues as ReadonlyMap<number, number>)]
      : Object.entries(intermediateValues as Readonly<Record<number, number>>).map(
          ([step, reported]) => [Number(step), reported] as const,
        );
  const constraints = Object.entries(options.constraints ?? {}).map(
    ([name, constraint]) => [constraintKey(name), constraint] as const,
  );
  const template = trialTemplate({
    state,
    value,
    values: value === undefined ? undefined : [value],
    params: orderedRecord(Object.entries(params)),
    distributions: orderedRecord(Object.entries(distributions)),
    userAttrs: jsonCopy(options.userAttrs ?? {}, 'the user attributes') as TrialTemplate['userAttrs'],
    systemAttrs: jsonCopy(
      { ...options.systemAttrs, ...Object.fromEntries(constraints) },
      'the system attributes',
    ) as TrialTemplate['systemAttrs'],
    intermediateValues: ReportedValues.of(reports),
    datetimeStart: state === 'WAITING' ? undefined : now,
    datetimeComplete: isFinished(state) ? now : undefined,
  });
  checkTrial(template);
  return template;
}

/** Throws HpoError `INVALID_ARGUMENT` for a trial that contradicts itself. Source: optuna.trial.FrozenTrial._validate. */
export function checkTrial(trial: TrialTemplate): void {
  const { state, values, params, distributions, datetimeStart, datetimeComplete } = trial;
  const refuse = (problem: string, value?: unknown) =>
    new HpoError('INVALID_ARGUMENT', `a trial can't be added: ${problem}`, { place: 'trial', value });
  if (state !== 'WAITING' && datetimeStart === undefined) throw refuse(`it is ${state} and has no datetimeStart`);
  if (isFinished(state) !== (datetimeComplete !== undefined)) {
    throw refuse(`it is ${state} and has ${datetimeComplete === undefined ? 'no' : 'a'} datetimeComplete`);
  }
  if (state === 'FAIL' && values !== undefined) throw refuse(`it is FAIL and has a value`, values);
  if (
    state === 'COMPLETE' &&
    (values === undefined || values.some((value) => typeof value !== 'number' || Number.isNaN(value)))
  ) {
    throw refuse(`it is COMPLETE and its value is ${shown(values?.[0])}`, values);
  }
  if (values !== undefined && values.length !== 1) throw refuse(`it has ${values.length} values`, values);
  const names = Object.keys(params);
  const unlike = [
    ...names.filter((name) => !Object.hasOwn(distributions, name)),
    ...Object.keys(distributions).filter((name) => !Object.hasOwn(params, name)),
  ];
  if (unlike.length > 0) throw refuse(`parameters and distributions differ in ${shown(unlike)}`, unlike);
  for (const name of names) {
    const distribution = distributions[name]!;
    if (!contains(distribution, toInternal(distribution, params[name], name))) {
      throw refuse(`${shown(name)} = ${shown(params[name])} is outside ${shown(distribution)}`, params[name]);
    }
  }
}
