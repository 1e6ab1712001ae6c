import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadBudget } from './budget';
import { type DuplicateKeys, parseJson } from './json';

const read = (text: string, duplicateKeys?: DuplicateKeys): unknown => {
  const budget = new ReadBudget(undefined, ({ code, message }) => new Error(`${code}: ${message}`));
  return parseJson(text, budget.document('x.json', text.length), { duplicateKeys });
};

describe('parseJson', () => {
  it('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        expect(read(text, 'refuse')).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses any text that JSON.parse refuses, by its own error', () => {
    const part = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '1', ' ', 'null', '\\u00', '\u2028');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => read(text, 'refuse')).toThrow(/^MALFORMED_JSON: x.json (is not JSON|has the key)/);
          return;
        }
        expect(read(text)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('stops at a depth of 128', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(read(nested(128))).toHaveLength(1);
    expect(() => read(nested(129))).toThrow(/x.json nests deeper than 128/);
    expect(() => read('{"a":'.repeat(3_000_000))).toThrow(/nests deeper/);
    expect(read(`[${`${nested(100)},`.repeat(20)}0]`)).toHaveLength(21);
  });

  it('knows a key that comes twice, however it is written, and only within one object', () => {
    expect(() => read('{"a":1,"b":[{"c":2}],"\\u0061":3}', 'refuse')).toThrow(/has the key "a" twice/);
    expect(() => read('[{"x":{"k":1,"k":1}}]', 'refuse')).toThrow(/"k" twice/);
    expect(read('{"a":{"a":"a"},"b":[{"a":1},{"a":2}]}', 'refuse')).toEqual({
      a: { a: 'a' },
      b: [{ a: 1 }, { a: 2 }],
    });
    expect(read('{"a":1,"a":2}')).toEqual({ a: 2 });
  });

  it.each([
    ['empty objects', `[${'{},'.repeat(3_000_000)}0]`],
    ['lists at no depth', `[${'[],'.repeat(4_000_000)}0]`],
    ['shallow nests', `[${`${'['.repeat(100)}${']'.repeat(100)},`.repeat(50_000)}0]`],
    ['objects of all shapes', `[${Array.from({ length: 600_000 }, (_, i) => `{"${i}":0}`).join(',')}]`],
  ])('refuses %s that would cost more than they may', (_, text) => {
    expect(() => read(text)).toThrow(/^OVER_BUDGET: x.json: reading its \d+ bytes/);
  });

  it('reads a vocabulary of 100,000 tokens and merges', () => {
    const tokens = Array.from({ length: 100_000 }, (_, i) => `${i.toString(36)}`);
    const merges = tokens.map((token) => [token[0], token.slice(1)]);
    expect(read(JSON.stringify({ vocab: Object.fromEntries(tokens.map((t, i) => [t, i])), merges }))).toBeDefined();
  });
});
