import { type Distribution, toInternal } from '../../distribution/distribution';
import { distributionToJson } from '../../distribution/json';
import { pythonFloat, pythonJson } from '../../python-json';
import { unreadableParam } from '../../trial/frozen-trial';
import { type Operation } from '../operation';
import { type TrialTemplate } from '../storage';
import { directionCodes, opCodes, stateCodes } from './codes';

/** Fields with their values as JSON text. */
type Fields = readonly (readonly [name: string, json: string])[];

function object(fields: Fields): string {
  return `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

/** ISO 8601 with microseconds and an offset, as Python's isoformat writes a time in UTC. */
function pythonTime(time: Date | undefined): string {
  return time === undefined ? 'null' : JSON.stringify(time.toISOString().replace('Z', '000+00:00'));
}

function floats(values: readonly number[] | undefined): string {
  return values === undefined ? 'null' : `[${values.map(pythonFloat).join(',')}]`;
}

/** Indices of choices are ints in Optuna, everything else is a float. */
function internalValue(distribution: Distribution, value: number): string {
  return distribution.kind === 'categorical' ? String(value) : pythonFloat(value);
}

function isFresh(template: TrialTemplate): boolean {
  const { state, params, userAttrs, systemAttrs, intermediateValues } = template;
  return (
    state === 'RUNNING' &&
    [params, userAttrs, systemAttrs].every((record) => Object.keys(record).length === 0) &&
    intermediateValues.size === 0
  );
}

function templateFields(template: TrialTemplate): Fields {
  for (const [name, problem] of Object.entries(template.unreadableParams)) throw unreadableParam(name, problem);
  const start = ['datetime_start', pythonTime(template.datetimeStart)] as const;
  if (isFresh(template)) return [start];
  const { distributions, datetimeComplete, values } = template;
  const single = values === undefined || values.length === 1;
  return [
    start,
    ['state', String(stateCodes[template.state])],
    ['value', single && template.value !== undefined ? pythonFloat(template.value) : 'null'],
    ['values', single ? 'null' : floats(values)],
    ...(datetimeComplete === undefined ? [] : [['datetime_complete', pythonTime(datetimeComplete)] as const]),
    [
      'distributions',
      object(Object.entries(distributions).map(([name, it]) => [name, JSON.stringify(distributionToJson(it))])),
    ],
    [
      'params',
      object(
        Object.entries(template.params).map(([name, value]) => {
          const distribution = distributions[name]!;
          return [name, internalValue(distribution, toInternal(distribution, value, name))];
        }),
      ),
    ],
    ['user_attrs', pythonJson(template.userAttrs)],
    ['system_attrs', pythonJson(template.systemAttrs)],
    [
      'intermediate_values',
      object([...template.intermediateValues].map(([step, value]) => [String(step), pythonFloat(value)])),
    ],
  ];
}

function codeAndFields(operation: Operation): [code: number, fields: Fields] {
  switch (operation.kind) {
    case 'create-study': {
      const directions = operation.directions.map((direction) => directionCodes[direction]);
      return [
        opCodes.createStudy,
        [
          ['study_name', JSON.stringify(operation.name)],
          ['directions', JSON.stringify(directions)],
        ],
      ];
    }
    case 'delete-study':
      return [opCodes.deleteStudy, [['study_id', String(operation.studyId)]]];
    case 'set-study-user-attr':
    case 'set-study-system-attr': {
      const user = operation.kind === 'set-study-user-attr';
      return [
        user ? opCodes.setStudyUserAttr : opCodes.setStudySystemAttr,
        [
          ['study_id', String(operation.studyId)],
          [user ? 'user_attr' : 'system_attr', object([[operation.key, pythonJson(operation.value)]])],
        ],
      ];
    }
    case 'create-trial':
      return [opCodes.createTrial, [['study_id', String(operation.studyId)], ...templateFields(operation.template)]];
    case 'set-param': {
      const { trialId, name, distribution } = operation;
      return [
        opCodes.setTrialParam,
        [
          ['trial_id', String(trialId)],
          ['param_name', JSON.stringify(name)],
          ['param_value_internal', internalValue(distribution, operation.internalValue)],
          ['distribution', JSON.stringify(distributionToJson(distribution))],
        ],
      ];
    }
    case 'set-unreadable-param':
      throw unreadableParam(operation.name, operation.problem);
    case 'start-trial':
      return [
        opCodes.setTrialStateValues,
        [
          ['trial_id', String(operation.trialId)],
          ['state', String(stateCodes.RUNNING)],
          ['values', 'null'],
          ['datetime_start', pythonTime(operation.datetimeStart)],
        ],
      ];
    case 'requeue-trial':
      return [
        opCodes.setTrialStateValues,
        [
          ['trial_id', String(operation.trialId)],
          ['state', String(stateCodes.WAITING)],
          ['values', 'null'],
        ],
      ];
    case 'finish-trial':
      return [
        opCodes.setTrialStateValues,
        [
          ['trial_id', String(operation.trialId)],
          ['state', String(stateCodes[operation.state])],
          ['values', floats(operation.values)],
          ['datetime_complete', pythonTime(operation.datetimeComplete)],
        ],
      ];
    case 'set-intermediate-value':
      return [
        opCodes.setTrialIntermediateValue,
        [
          ['trial_id', String(operation.trialId)],
          ['step', String(operation.step)],
          ['intermediate_value', pythonFloat(operation.value)],
        ],
      ];
    case 'set-trial-user-attr':
    case 'set-trial-system-attr': {
      const user = operation.kind === 'set-trial-user-attr';
      return [
        user ? opCodes.setTrialUserAttr : opCodes.setTrialSystemAttr,
        [
          ['trial_id', String(operation.trialId)],
          [user ? 'user_attr' : 'system_attr', object([[operation.key, pythonJson(operation.value)]])],
        ],
      ];
    }
    case 'discard-trials':
      return [opCodes.discardTrials, []];
  }
}

/** The line, without its end, that Optuna's journal has for an operation. */
export function encodeRecord(operation: Operation, workerId: string): string {
  const [code, fields] = codeAndFields(operation);
  return object([['op_code', String(code)], ['worker_id', JSON.stringify(workerId)], ...fields]);
}
