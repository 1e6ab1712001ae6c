import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonCopy, type JsonValue } from './json-value';
import { parsePythonJson, pythonFloat, pythonJson } from './python-json';

describe("Python's JSON", () => {
  it('has NaN and the infinities as bare words, not inside strings', () => {
    expect(parsePythonJson('{"a": [NaN, Infinity, -Infinity, -1], "NaN": "NaN, \\"Infinity"}')).toEqual({
      a: [NaN, Infinity, -Infinity, -1],
      NaN: 'NaN, "Infinity',
    });
    expect(pythonJson({ a: [NaN, Infinity, -Infinity, 2], b: 'NaN' })).toBe(
      '{"a":[NaN,Infinity,-Infinity,2],"b":"NaN"}',
    );
  });

  it.each(['NaNs', '{NaN: 1}', '[Infinit]', '[-NaN]', '--Infinity', ''])('refuses %j', (text) => {
    expect(() => parsePythonJson(text)).toThrow(SyntaxError);
  });

  it('comes back the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.double(), (value, number) => {
        const plain = value as JsonValue;
        expect(parsePythonJson(pythonJson({ value: plain, nan: NaN }))).toEqual({
          value: JSON.parse(JSON.stringify(value)) as unknown,
          nan: NaN,
        });
        expect(parsePythonJson(pythonFloat(number))).toBe(number === 0 ? 0 : number);
      }),
    );
  });

  it('writes floats so that Python reads floats', () => {
    expect([3, -2, 0.5, 1e-7, 1e21, 123456789012345680000, NaN, -Infinity].map(pythonFloat)).toEqual([
      '3.0',
      '-2.0',
      '0.5',
      '1e-7',
      '1e+21',
      '123456789012345680000.0',
      'NaN',
      '-Infinity',
    ]);
  });

  it('keeps a key named __proto__ an ordinary key', () => {
    const parsed = parsePythonJson('{"__proto__": {"polluted": NaN}}') as Record<string, unknown>;
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(Object.keys(parsed)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('jsonCopy', () => {
  it('copies, and freezes the copy', () => {
    const value = { list: [1, { a: null }] };
    const copy = jsonCopy(value, 'it') as typeof value;
    value.list.push(2);
    expect(copy).toEqual({ list: [1, { a: null }] });
    expect(() => copy.list.push(3)).toThrow(TypeError);
  });

  it.each([[undefined], [() => 1], [new Date(0)], [{ a: undefined }], [new Map()], [1n]])('refuses %s', (value) => {
    expect(() => jsonCopy(value, 'attribute "x"')).toThrow(/attribute "x" must be made of/);
  });

  it('refuses what contains itself', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => jsonCopy(cycle, 'it')).toThrow(/nested more than 100 levels deep, or contains itself/);
  });
});
