const number = { type: 'number' } as const;
const text = { type: 'string' } as const;
const integer = { type: 'integer', minimum: 0 } as const;
const share = { type: 'number', minimum: 0, maximum: 1 } as const;
const figure = { anyOf: [number, { enum: ['NaN', 'Infinity', '-Infinity'] }] };
const described = { type: ['string', 'number', 'boolean', 'null'] };

function object(properties: Readonly<Record<string, object>>, optional: readonly string[] = []): object {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

const list = (items: object): object => ({ type: 'array', items });
const orNull = (schema: object): object => ({ anyOf: [schema, { type: 'null' }] });
const byName = (values: object): object => ({ type: 'object', additionalProperties: values });

const trial = object(
  {
    number: integer,
    state: { enum: ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'] },
    value: orNull(number),
    params: byName(described),
    intermediate: list(object({ step: number, value: number })),
    seconds: orNull(number),
  },
  ['intermediate', 'seconds'],
);

const test = object({
  rows: integer,
  accuracy: share,
  f1Weighted: share,
  f1Macro: share,
  classes: list(object({ label: text, precision: share, recall: share, f1: share, support: integer })),
  labels: list(text),
  confusion: list({ type: 'array', items: integer, minItems: 3, maxItems: 3 }),
  pairs: list(object({ truth: text, predicted: text, count: integer, examples: list(text) })),
  confidence: list(
    object({
      lower: share,
      upper: share,
      right: integer,
      wrong: integer,
      confidence: orNull(share),
      accuracy: orNull(share),
    }),
  ),
  expectedCalibrationError: orNull(share),
  errors: list(object({ row: integer, text, truth: text, predicted: text, confidence: orNull(share) })),
  wrongRows: integer,
});

const search = object({
  name: text,
  objective: text,
  direction: { enum: ['maximize', 'minimize'] },
  trials: list(trial),
  counts: byName(integer),
  best: orNull(object({ number: integer, value: number })),
  bestSoFar: list(object({ number: integer, value: number })),
  parameters: list(text),
  logarithmic: list(text),
  importances: orNull(object({ method: text, values: byName(number) })),
});

/** JSON schema (draft-07) of report.json, which holds every figure that report.html shows. */
export const REPORT_SCHEMA: object = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'A training run or a search of qlora.js',
  ...object({
    version: { const: 1 },
    title: text,
    state: { enum: ['finished', 'pruned', 'failed', 'interrupted', 'unfinished', 'none'] },
    started: orNull(text),
    ended: orNull(text),
    lastLine: orNull(text),
    notes: list(text),
    description: byName(byName(described)),
    summary: byName(described),
    best: orNull(object({ step: integer, metric: text, value: number })),
    series: list(
      object({
        name: text,
        points: list(object({ step: integer, value: figure })),
        smooth: list(object({ step: integer, mean: number, low: number, high: number })),
        window: integer,
      }),
    ),
    epochs: list(object({ epoch: number, figures: byName(figure) })),
    test: orNull(test),
    search: orNull(search),
    comparison: orNull(
      object({
        earlier: text,
        figures: list(
          object({
            name: text,
            earlier: orNull(number),
            now: orNull(number),
            difference: orNull(number),
            percent: orNull(number),
          }),
        ),
      }),
    ),
    saved: orNull(
      object(
        {
          folder: text,
          files: list(object({ name: text, size: integer })),
          load: object({ typescript: text, python: text }, ['typescript', 'python']),
        },
        ['load'],
      ),
    ),
  }),
};
