import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonSafe } from './index';

describe('jsonSafe', () => {
  it('writes what JSON lacks as strings or arrays', () => {
    const cycle: Record<string, unknown> = { a: 1 };
    cycle['self'] = cycle;
    expect(
      jsonSafe({
        nan: NaN,
        infinite: -Infinity,
        big: 2n ** 70n,
        date: new Date(0),
        weights: Float32Array.of(0.5, NaN),
        set: new Set(['x']),
        map: new Map([['k', 1]]),
        nothing: undefined,
        call: () => 1,
        list: [undefined, Symbol('s')],
        cycle,
        error: new RangeError('too far'),
      }),
    ).toEqual({
      nan: 'NaN',
      infinite: '-Infinity',
      big: '1180591620717411303424',
      date: '1970-01-01T00:00:00.000Z',
      weights: [0.5, 'NaN'],
      set: ['x'],
      map: [['k', 1]],
      list: [null, null],
      cycle: { a: 1, self: '[circular]' },
      error: 'RangeError: too far',
    });
  });

  it('shares that are no cycle are written twice', () => {
    const shared = { r: 16 };
    expect(jsonSafe({ a: shared, b: shared })).toEqual({ a: { r: 16 }, b: { r: 16 } });
  });

  it.each([
    'token',
    'hubToken',
    'HF_TOKEN',
    'hub-token',
    'access_token',
    'api_key',
    'WANDB_API_KEY',
    'dbPassword',
    'clientSecret',
  ])('leaves out the value of %s', (key) => {
    expect(jsonSafe({ outer: { [key]: 'value' } })).toEqual({ outer: { [key]: '[redacted]' } });
    expect(jsonSafe({ [key]: ['value', 7] })).toEqual({ [key]: ['[redacted]', 7] });
  });

  it.each(['pad_token', 'eos_token', 'tokenizer', 'tokens_per_sec_est', 'max_tokens', 'label', 'monkey'])(
    'keeps the value of %s',
    (key) => {
      expect(jsonSafe({ [key]: 'value' })).toEqual({ [key]: 'value' });
    },
  );

  it('takes credentials out of any string', () => {
    expect(jsonSafe(['postgres://user:pw@host/db', 'use hf_0123456789abcdefghij now'])).toEqual([
      'postgres://[redacted]@host/db',
      'use [redacted] now',
    ]);
  });

  it('keeps __proto__ a key and ends in depth', () => {
    const parsed = jsonSafe(JSON.parse('{"__proto__": {"polluted": true}}'));
    expect(JSON.stringify(parsed)).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    let deep: unknown = 1;
    for (let i = 0; i < 1000; i++) deep = [deep];
    expect(JSON.stringify(jsonSafe(deep))).toContain('[too deep]');
  });

  it('changes nothing that is JSON and holds no secret', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        fc.pre(!/token|secret|key|passw|credential|authoriz|bearer|hf_|:\/\//i.test(JSON.stringify(value)));
        expect(JSON.stringify(jsonSafe(value))).toBe(JSON.stringify(value));
      }),
    );
  });
});
