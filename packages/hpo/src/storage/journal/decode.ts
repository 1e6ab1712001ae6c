import { contains, type Distribution, type ParamValue, toExternal } from '../../distribution/distribution';
import { distributionFromJson } from '../../distribution/json';
import { HpoError, shown } from '../../errors';
import { type JsonValue } from '../../json-value';
import { type Direction } from '../../study/direction';
import { isFinished, paramsRecord, type TrialState } from '../../trial/frozen-trial';
import { ReportedValues } from '../../trial/reported-values';
import { type Operation } from '../operation';
import { directionCodes, opCodes, stateCodes } from './codes';
import { Fields } from './fields';
import { orderedRecord } from '../../ordered-record';

const stateOf = new Map(Object.entries(stateCodes).map(([state, code]) => [code, state as TrialState]));
const newest = Math.max(...Object.values(opCodes));
const directionOf = new Map(Object.entries(directionCodes).map(([name, code]) => [code, name as Direction]));

function state(fields: Fields, name: string): TrialState {
  const code = fields.index(name);
  return stateOf.get(code) ?? fields.refuse(name, 'a trial state from 0 to 4');
}

function directions(fields: Fields): Direction[] {
  const codes = fields.array('directions');
  if (codes.length === 0) fields.refuse('directions', 'one or more of 1 and 2');
  return codes.map((code) => {
    const direction = typeof code === 'number' ? directionOf.get(code) : undefined;
    return direction ?? fields.refuse('directions', 'one or more of 1 and 2');
  });
}

/** A distribution; or what is wrong with it, where this package can't hold it. */
function distribution(fields: Fields, name: string): Distribution | string {
  const text = fields.text(name);
  try {
    return distributionFromJson(text);
  } catch (error) {
    if (HpoError.isInstance(error) && error.code === 'INVALID_DISTRIBUTION') return error.message;
    throw error;
  }
}

/** An internal value that the distribution can turn into an external one. Being in range is not asked for, as in Optuna. */
function internalValue(fields: Fields, name: string, itsDistribution: Distribution): number {
  const value = fields.number(name);
  if (Number.isNaN(value) || (itsDistribution.kind === 'categorical' && !contains(itsDistribution, value))) {
    fields.refuse(name, `a value of ${shown(itsDistribution)}`);
  }
  return value;
}

/** The one key and value of an attribute record. */
function attribute(fields: Fields, name: string): { key: string; value: JsonValue } {
  const entries = fields.object(name).entries();
  if (entries.length !== 1) fields.refuse(name, 'an object with one key');
  const [key, value] = entries[0]!;
  return { key, value };
}

function numbers(fields: Fields, name: string): number[] | undefined {
  if (fields.isNull(name)) return undefined;
  return fields
    .array(name)
    .map((value) => (typeof value === 'number' ? value : fields.refuse(name, 'an array of numbers')));
}

/** A step is a key here, so it comes as text. */
function intermediateValues(fields: Fields): ReportedValues {
  return ReportedValues.of(
    fields.keys().map((key) => {
      if (!/^\d{1,15}$/.test(key)) fields.refuse(key, 'under a step, an integer of at least 0');
      return [Number(key), fields.number(key)];
    }),
  );
}

function createTrial(fields: Fields): Operation {
  const texts = fields.optionalObject('distributions');
  const distributions = new Map<string, Distribution>();
  const unreadable = new Map<string, string>();
  for (const name of texts.keys()) {
    const its = distribution(texts, name);
    if (typeof its === 'string') unreadable.set(name, its);
    else distributions.set(name, its);
  }
  const internals = fields.optionalObject('params');
  const readable = internals.keys().filter((name) => !unreadable.has(name));
  const params = readable.map((name): [string, ParamValue] => {
    const its = distributions.get(name) ?? internals.refuse(name, 'a parameter with a distribution');
    return [name, toExternal(its, internalValue(internals, name, its))];
  });
  const unreadableParams = orderedRecord(unreadable);
  const value = fields.isNull('value') ? undefined : fields.number('value');
  const values = numbers(fields, 'values') ?? (value === undefined ? undefined : [value]);
  return {
    kind: 'create-trial',
    studyId: fields.index('study_id'),
    template: {
      state: fields.has('state') ? state(fields, 'state') : 'RUNNING',
      value: values?.length === 1 ? values[0] : undefined,
      values,
      params: paramsRecord(params, unreadableParams),
      unreadableParams,
      distributions: orderedRecord(distributions),
      intermediateValues: intermediateValues(fields.optionalObject('intermediate_values')),
      userAttrs: orderedRecord(fields.optionalObject('user_attrs').entries()),
      systemAttrs: orderedRecord(fields.optionalObject('system_attrs').entries()),
      datetimeStart: fields.isNull('datetime_start') ? undefined : fields.time('datetime_start'),
      datetimeComplete: fields.isNull('datetime_complete') ? undefined : fields.time('datetime_complete'),
    },
  };
}

function setState(fields: Fields): Operation {
  const trialId = fields.index('trial_id');
  const to = state(fields, 'state');
  if (to === 'WAITING') return { kind: 'requeue-trial', trialId };
  if (!isFinished(to)) return { kind: 'start-trial', trialId, datetimeStart: fields.time('datetime_start') };
  const values = numbers(fields, 'values');
  if (to === 'COMPLETE' && (values === undefined || values.length === 0 || values.some(Number.isNaN))) {
    fields.refuse('values', 'an array of numbers, for a complete trial');
  }
  return { kind: 'finish-trial', trialId, state: to, values, datetimeComplete: fields.time('datetime_complete') };
}

function operationOf(fields: Fields, place: string): Operation {
  const code = fields.index('op_code');
  switch (code) {
    case opCodes.createStudy:
      return { kind: 'create-study', name: fields.text('study_name'), directions: directions(fields) };
    case opCodes.deleteStudy:
      return { kind: 'delete-study', studyId: fields.index('study_id') };
    case opCodes.setStudyUserAttr:
      return { kind: 'set-study-user-attr', studyId: fields.index('study_id'), ...attribute(fields, 'user_attr') };
    case opCodes.setStudySystemAttr:
      return { kind: 'set-study-system-attr', studyId: fields.index('study_id'), ...attribute(fields, 'system_attr') };
    case opCodes.createTrial:
      return createTrial(fields);
    case opCodes.setTrialParam: {
      const [trialId, name] = [fields.index('trial_id'), fields.text('param_name')];
      const itsDistribution = distribution(fields, 'distribution');
      if (typeof itsDistribution === 'string') {
        return { kind: 'set-unreadable-param', trialId, name, problem: itsDistribution };
      }
      return {
        kind: 'set-param',
        trialId,
        name,
        internalValue: internalValue(fields, 'param_value_internal', itsDistribution),
        distribution: itsDistribution,
      };
    }
    case opCodes.setTrialStateValues:
      return setState(fields);
    case opCodes.setTrialIntermediateValue:
      return {
        kind: 'set-intermediate-value',
        trialId: fields.index('trial_id'),
        step: fields.index('step'),
        value: fields.number('intermediate_value'),
      };
    case opCodes.setTrialUserAttr:
      return { kind: 'set-trial-user-attr', trialId: fields.index('trial_id'), ...attribute(fields, 'user_attr') };
    case opCodes.setTrialSystemAttr:
      return { kind: 'set-trial-system-attr', trialId: fields.index('trial_id'), ...attribute(fields, 'system_attr') };
    case opCodes.discardTrials:
      return { kind: 'discard-trials' };
    default:
      throw new HpoError(
        'UNSUPPORTED',
        `${place}: a newer Optuna wrote op_code ${code}; this package knows 0 to ${newest}`,
        {
          place,
          value: code,
          remedy: 'Read the journal with a newer version of this package',
        },
      );
  }
}

/**
 * The operation that a parsed journal line stands for, and who wrote it. Every field is checked: the file may come
 * from anywhere. Throws HpoError `CORRUPT_JOURNAL`, and `UNSUPPORTED` where a newer Optuna wrote it; `place` says which
 * line.
 */
export function decodeRecord(record: JsonValue, place: string): { operation: Operation; workerId: string } {
  const fields = Fields.of(record, place);
  return { operation: operationOf(fields, place), workerId: fields.text('worker_id') };
}
