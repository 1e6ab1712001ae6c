import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { ownProperty } from '../own-property';
import { parsePythonJson, pythonFloat, pythonJson } from '../python-json';
import { categoricalDistribution, type Distribution, floatDistribution, intDistribution } from './distribution';

/** Text of a distribution as Optuna's storages keep it. Source: optuna.distributions.distribution_to_json. */
export function distributionToJson(distribution: Distribution): string {
  if (distribution.kind === 'categorical') {
    const choices = distribution.choices.map(pythonJson).join(', ');
    return `{"name": "CategoricalDistribution", "attributes": {"choices": [${choices}]}}`;
  }
  const { kind, low, high, log, step } = distribution;
  if (kind === 'int') {
    return `{"name": "IntDistribution", "attributes": {"log": ${log}, "step": ${step}, "low": ${low}, "high": ${high}}}`;
  }
  const stepText = step === undefined ? 'null' : pythonFloat(step);
  return (
    `{"name": "FloatDistribution", "attributes": {"step": ${stepText}, "low": ${pythonFloat(low)}, ` +
    `"high": ${pythonFloat(high)}, "log": ${log}}}`
  );
}

type Fields = Readonly<Record<string, JsonValue>>;

function fieldsOf(value: JsonValue | undefined, what: string): Fields {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Fields;
  throw new HpoError('INVALID_DISTRIBUTION', `${what} must be an object, but is ${shown(value)}`, { value });
}

/** Bounds, log and step; types are checked here, their meaning by the distribution's own function. */
function numericalOptions(fields: Fields) {
  const number = (name: string) => {
    const value = ownProperty(fields, name);
    if (typeof value === 'number') return value;
    throw new HpoError('INVALID_DISTRIBUTION', `${name} of a distribution must be a number, but is ${shown(value)}`, {
      value,
    });
  };
  const log = ownProperty(fields, 'log') ?? false;
  if (typeof log !== 'boolean') {
    throw new HpoError('INVALID_DISTRIBUTION', `log of a distribution must be a boolean, but is ${shown(log)}`, {
      value: log,
    });
  }
  const step = (ownProperty(fields, 'step') ?? null) === null ? undefined : number('step');
  return { low: number('low'), high: number('high'), log, step };
}

function choicesOf(fields: Fields): Distribution {
  return categoricalDistribution(ownProperty(fields, 'choices') as readonly (string | number | boolean | null)[]);
}

/** The classes that Optuna's files name, those before version 3 included. */
const readers: ReadonlyMap<string, (fields: Fields) => Distribution> = new Map([
  ['FloatDistribution', (fields) => floatDistribution(numericalOptions(fields))],
  ['IntDistribution', (fields) => intDistribution(numericalOptions(fields))],
  ['CategoricalDistribution', choicesOf],
  ['UniformDistribution', (fields) => floatDistribution(numericalOptions(fields))],
  ['LogUniformDistribution', (fields) => floatDistribution({ ...numericalOptions(fields), log: true })],
  [
    'DiscreteUniformDistribution',
    (fields) => floatDistribution(numericalOptions({ ...fields, step: ownProperty(fields, 'q') ?? null })),
  ],
  ['IntUniformDistribution', (fields) => intDistribution(numericalOptions(fields))],
  ['IntLogUniformDistribution', (fields) => intDistribution({ ...numericalOptions(fields), log: true })],
]);

/** The short form: `type` and the fields beside it. */
const shortNames: ReadonlyMap<string, string> = new Map([
  ['float', 'FloatDistribution'],
  ['int', 'IntDistribution'],
  ['categorical', 'CategoricalDistribution'],
]);

/**
 * The distribution that a text from one of Optuna's storages stands for. Throws HpoError `INVALID_DISTRIBUTION`.
 * Source: optuna.distributions.json_to_distribution.
 */
export function distributionFromJson(text: string): Distribution {
  let parsed: JsonValue;
  try {
    parsed = parsePythonJson(text);
  } catch (cause) {
    throw new HpoError('INVALID_DISTRIBUTION', `a distribution must be JSON, but is ${shown(text)}`, {
      value: text,
      cause,
    });
  }
  const fields = fieldsOf(parsed, 'a distribution');
  const short = ownProperty(fields, 'type');
  const name = Object.hasOwn(fields, 'name')
    ? ownProperty(fields, 'name')
    : typeof short === 'string'
      ? shortNames.get(short)
      : undefined;
  const reader = typeof name === 'string' ? readers.get(name) : undefined;
  if (reader === undefined) {
    throw new HpoError('INVALID_DISTRIBUTION', `unknown distribution ${shown(name ?? short)}`, {
      value: name ?? short,
    });
  }
  return reader(
    Object.hasOwn(fields, 'name')
      ? fieldsOf(ownProperty(fields, 'attributes'), 'the attributes of a distribution')
      : fields,
  );
}
