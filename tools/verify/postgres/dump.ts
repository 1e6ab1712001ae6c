import { loadStudy, type Distribution, type JsonValue, type Storage } from '@qlora-js/hpo';

/** A study in the shape in which optuna_study.py dumps it. */
export async function dumpStudy(storage: Storage, studyName: string): Promise<unknown> {
  const study = await loadStudy({ storage, studyName, logger: { info: () => undefined, warn: () => undefined } });
  const trials = study.trials.map((trial) => ({
    number: trial.number,
    state: trial.state,
    values: trial.values === undefined ? null : plain([...trial.values]),
    params: plain(trial.params),
    distributions: Object.fromEntries(
      Object.entries(trial.distributions).map(([name, distribution]) => [name, distributionText(distribution)]),
    ),
    reports: plain([...trial.intermediateValues].sort(([a], [b]) => a - b)),
    user_attrs: plain(trial.userAttrs),
    system_attrs: plain(trial.systemAttrs),
  }));
  return { directions: [study.direction], user_attrs: plain(study.userAttrs), trials };
}

/** As Python's json.dumps of Optuna's own class: floats keep a point. */
function distributionText(distribution: Distribution): string {
  const float = (value: number): string => (Number.isInteger(value) ? `${value}.0` : pythonFloat(value));
  if (distribution.kind === 'categorical') {
    const choices = distribution.choices.map((choice) => JSON.stringify(choice));
    return `{"name": "CategoricalDistribution", "attributes": {"choices": [${choices.join(', ')}]}}`;
  }
  const { low, high, log } = distribution;
  if (distribution.kind === 'int')
    return `{"name": "IntDistribution", "attributes": {"log": ${log}, "step": ${distribution.step}, "low": ${low}, "high": ${high}}}`;
  const step = distribution.step === undefined ? 'null' : float(distribution.step);
  return `{"name": "FloatDistribution", "attributes": {"step": ${step}, "low": ${float(low)}, "high": ${float(high)}, "log": ${log}}}`;
}

function pythonFloat(value: number): string {
  return value < 1e-4 ? value.toExponential().replace(/e-(\d)$/, 'e-0$1') : String(value);
}

/** JSON has neither NaN nor infinities: Python's words for them. */
function plain(value: unknown): JsonValue {
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'nan';
    return Number.isFinite(value) ? value : value > 0 ? 'inf' : '-inf';
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value as JsonValue;
}
