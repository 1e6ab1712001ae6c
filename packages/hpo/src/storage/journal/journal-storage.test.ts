import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpoError } from '../../errors';
import { floatDistribution } from '../../distribution/distribution';
import { TextJournalBackend } from './backend';
import { JournalStorage } from './journal-storage';

const study = '{"op_code":0,"worker_id":"w","study_name":"s","directions":[1]}';
const trial = '{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"2026-01-02T03:04:05.678901+02:00"}';
const open = async (...lines: string[]) => {
  const storage = new JournalStorage(new TextJournalBackend(lines.map((line) => `${line}\n`).join('')));
  await storage.refresh();
  return storage;
};
const float = JSON.stringify(
  '{"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 1.0, "log": false, "step": null}}',
);
const choices = JSON.stringify('{"name": "CategoricalDistribution", "attributes": {"choices": ["a", "b"]}}');

describe('a line that is not what it should be', () => {
  it.each([
    ['1', /line 3 must be an object, but is 1/],
    ['{}', /line 3: "op_code" must be an integer of at least 0, but is undefined/],
    ['{"op_code":"constructor","worker_id":"w"}', /"op_code"/],
    ['{"op_code":1,"study_id":0}', /"worker_id" must be a string/],
    ['{"op_code":0,"worker_id":"w","study_name":5,"directions":[1]}', /"study_name" must be a string, but is 5/],
    ['{"op_code":0,"worker_id":"w","study_name":"t","directions":[]}', /"directions" must be one or more of 1 and 2/],
    ['{"op_code":0,"worker_id":"w","study_name":"t","directions":[0]}', /"directions" must be one or more of 1 and 2/],
    ['{"op_code":0,"worker_id":"w","study_name":"t","directions":{"length":1}}', /"directions" must be an array/],
    ['{"op_code":2,"worker_id":"w","study_id":0,"user_attr":{}}', /"user_attr" must be an object with one key/],
    ['{"op_code":3,"worker_id":"w","study_id":0,"system_attr":[1]}', /"system_attr" must be an object, but is \[1\]/],
    [
      '{"op_code":4,"worker_id":"w","study_id":-1,"datetime_start":null}',
      /"study_id" must be an integer of at least 0/,
    ],
    [
      '{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"yesterday"}',
      /"datetime_start" must be a time in ISO/,
    ],
    ['{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null,"state":5}', /"state" must be a trial state/],
    [
      '{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null,"params":{"x":1}}',
      /"x" must be a parameter with a distribution/,
    ],
    [
      '{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null,"intermediate_values":{"-1":1}}',
      /"-1" must be under a step/,
    ],
    [
      '{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null,"values":["1"]}',
      /"values" must be an array of numbers/,
    ],
    [
      `{"op_code":5,"worker_id":"w","trial_id":1e300,"param_name":"x","param_value_internal":1,"distribution":${float}}`,
      /"trial_id" must be an integer/,
    ],
    [
      `{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"x","param_value_internal":NaN,"distribution":${float}}`,
      /"param_value_internal" must be a value of/,
    ],
    [
      `{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"x","param_value_internal":2,"distribution":${choices}}`,
      /"param_value_internal" must be a value of/,
    ],
    [
      `{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"x","param_value_internal":-1,"distribution":${choices}}`,
      /"param_value_internal" must be a value of/,
    ],
    [
      '{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":null,"datetime_complete":"2026-01-01T00:00:00"}',
      /"values" must be an array of numbers, for a complete trial/,
    ],
    [
      '{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[NaN],"datetime_complete":"2026-01-01T00:00:00"}',
      /"values" must be/,
    ],
    ['{"op_code":6,"worker_id":"w","trial_id":0,"state":3,"values":null}', /"datetime_complete" must be a string/],
    ['{"op_code":7,"worker_id":"w","trial_id":0,"step":0.5,"intermediate_value":1}', /"step" must be an integer/],
    [
      '{"op_code":7,"worker_id":"w","trial_id":0,"step":1,"intermediate_value":"1"}',
      /"intermediate_value" must be a number/,
    ],
    [
      '{"op_code":8,"worker_id":"w","trial_id":0,"user_attr":{"a":1,"b":2}}',
      /"user_attr" must be an object with one key/,
    ],
  ])('%s', async (line, message) => {
    await expect(open(study, trial, line)).rejects.toThrow(message);
    await expect(open(study, trial, line)).rejects.toThrow(
      expect.objectContaining({ code: 'CORRUPT_JOURNAL' }) as Error,
    );
  });

  it('names a newer Optuna as what wrote a code that it does not know', async () => {
    const line = '{"op_code":11,"worker_id":"w"}';
    await expect(open(study, trial, line)).rejects.toThrow(/line 3: a newer Optuna wrote op_code 11; .* knows 0 to 10/);
    await expect(open(study, trial, line)).rejects.toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }) as Error);
  });

  it('is left for later where it is the last and no JSON, but nothing is written after it', async () => {
    const storage = await open(study, trial, '{"op_code":7,"worker_id":"w","trial_id":0,"st');
    expect(storage.getTrial(0).intermediateValues.size).toBe(0);
    await expect(storage.createTrial(0)).rejects.toThrow(
      /line 3 is not JSON: .* Take the line out if it can be spared/,
    );
  });

  it('is an error where it is not the last', async () => {
    await expect(open(study, '{"op_', trial)).rejects.toThrow(/line 2 is not JSON/);
    await expect(open(study, '', trial)).rejects.toThrow(/line 2 is not JSON/);
    await expect(open(study, '['.repeat(1e5), trial)).rejects.toThrow(/line 2 is not JSON/);
  });

  it('never gets anything out but a study or an HpoError', async () => {
    const words = [
      'op_code',
      'worker_id',
      'study_id',
      'trial_id',
      'state',
      'values',
      'params',
      '__proto__',
      'user_attr',
    ];
    const key = fc.constantFrom(...words, 'study_name', 'directions', 'datetime_start', 'distributions', 'step');
    const value = fc.oneof(fc.integer({ min: -1, max: 11 }), fc.jsonValue(), fc.constant({ a: 1 }), fc.constant([1]));
    const record = fc
      .dictionary(key, value)
      .chain((fields) =>
        fc
          .tuple(fc.constant(fields), fc.integer({ min: 0, max: 10 }))
          .map(([rest, op_code]) => ({ worker_id: 'w', study_id: 0, trial_id: 0, ...rest, op_code })),
      );
    await fc.assert(
      fc.asyncProperty(fc.array(record, { maxLength: 4 }), async (records) => {
        try {
          const storage = await open(study, trial, ...records.map((it) => JSON.stringify(it)));
          for (const { id } of storage.getStudies()) storage.getTrials(id);
        } catch (error) {
          expect(HpoError.isInstance(error) && error.code).toBe('CORRUPT_JOURNAL');
        }
        expect(({} as Record<string, unknown>)['a']).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('a parameter that this package can not hold', () => {
  const lists = JSON.stringify('{"name": "CategoricalDistribution", "attributes": {"choices": [[1, 2], [3]]}}');
  const wide = JSON.stringify(
    '{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 100000000000000000000}}',
  );
  const newer = JSON.stringify('{"name": "OrdinalDistribution", "attributes": {}}');
  const param = (name: string, distribution: string) =>
    `{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"${name}","param_value_internal":1,"distribution":${distribution}}`;

  it.each([
    ['a choice that is a list', lists, /a choice must be .* but one is \[1,2\]/],
    ['integers beyond 2 ** 53', wide, /must be integers within 2 \*\* 53/],
    ['a distribution of a newer Optuna', newer, /unknown distribution "OrdinalDistribution"/],
  ])('%s: refused when it is used, everything else reads', async (_, distribution, problem) => {
    const storage = await open(study, trial, param('odd', distribution), param('x', float));
    const frozen = storage.getTrial(0);
    expect(frozen.params).toEqual({ x: 1 });
    expect(frozen.unreadableParams['odd']).toMatch(problem);
    expect(() => frozen.params['odd']).toThrow(problem);
    expect(() => frozen.params['odd']).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', place: 'odd' }) as Error);
    const next = await storage.createTrial(0);
    expect(() => storage.setTrialParam(next, 'odd', 0, floatDistribution({ low: 0, high: 1 }))).toThrow(problem);
    storage.setTrialParam(next, 'x', 0.5, floatDistribution({ low: 0, high: 1 }));
    expect(storage.getTrial(next).params).toEqual({ x: 0.5 });
  });

  it('may be part of a trial that was stored whole', async () => {
    const storage = await open(
      study,
      `{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":null,"state":4,"distributions":{"odd":${lists},"x":${float}},"params":{"odd":0,"x":1}}`,
    );
    expect(storage.getTrial(0)).toMatchObject({ params: { x: 1 }, state: 'WAITING' });
    expect(() => storage.getTrial(0).params['odd']).toThrow(/can't be used here/);
  });
});

describe("other workers' records", () => {
  it('that can not be are dropped, as Optuna drops them', async () => {
    const storage = await open(
      study,
      study,
      trial,
      `{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"x","param_value_internal":1,"distribution":${choices}}`,
      `{"op_code":5,"worker_id":"v","trial_id":0,"param_name":"x","param_value_internal":1,"distribution":${float}}`,
      '{"op_code":7,"worker_id":"v","trial_id":9,"step":0,"intermediate_value":1}',
      '{"op_code":6,"worker_id":"w","trial_id":0,"state":2,"values":[0.5],"datetime_complete":"2026-01-01T00:00:00+00:00"}',
      '{"op_code":6,"worker_id":"v","trial_id":0,"state":1,"values":[1],"datetime_complete":"2026-01-01T00:00:00+00:00"}',
      '{"op_code":1,"worker_id":"v","study_id":5}',
      '{"op_code":10,"worker_id":"v","study_id":0}',
    );
    expect(storage.getStudies()).toHaveLength(1);
    expect(storage.getTrials(0)).toHaveLength(1);
    expect(storage.getTrial(0)).toMatchObject({ state: 'PRUNED', value: 0.5, params: { x: 'b' } });
  });

  it('may be of a study with several objectives', async () => {
    const storage = await open(
      '{"op_code":0,"worker_id":"w","study_name":"m","directions":[1,2]}',
      trial,
      '{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[1,2.5],"datetime_complete":"2026-01-01T00:00:00Z"}',
    );
    expect(storage.getStudy(0).directions).toEqual(['minimize', 'maximize']);
    expect(storage.getTrial(0)).toMatchObject({ values: [1, 2.5], value: undefined });
  });

  it('have times in microseconds and with offsets', async () => {
    expect((await open(study, trial)).getTrial(0).datetimeStart!.toISOString()).toBe('2026-01-02T01:04:05.678Z');
  });

  it('show up at the next call that waits', async () => {
    const backend = new TextJournalBackend();
    const [ours, theirs] = [new JournalStorage(backend), new JournalStorage(backend)];
    const study = await theirs.createStudy({ name: 's', directions: ['minimize'] });
    await ours.refresh();
    expect(ours.getStudies()).toHaveLength(1);
    const trial = await ours.createTrial(study);
    await theirs.refresh();
    theirs.setTrialIntermediateValue(trial, 0, 5);
    await theirs.refresh();
    await ours.refresh();
    expect(ours.getTrial(trial).intermediateValues.get(0)).toBe(5);
  });
});
