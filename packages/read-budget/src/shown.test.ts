import { describe, expect, it } from 'vitest';
import { shown } from './shown';

describe('shown', () => {
  const circle: unknown[] = [1];
  circle.push(circle);
  let deep: unknown = [];
  for (let i = 0; i < 100_000; i++) deep = [deep];

  it.each([
    ['a "b"\n', '"a \\"b\\"\\n"'],
    [NaN, 'NaN'],
    [2n ** 60n, '1152921504606846976'],
    [undefined, 'undefined'],
    [null, 'null'],
    [[1, 'x', null, [2n]], '[1,"x",null,[2]]'],
    [{ a: { b: [true] } }, '{"a":{"b":[true]}}'],
    [() => 1, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
    [new Uint8Array(1_000_000), 'Uint8Array'],
    [new Map(), 'Map'],
    [Object.create(null), '{}'],
    [circle, '[1,[1,[1,[1,[…]]]]]'],
    [deep, '[[[[[…]]]]]'],
  ])('shows a value of any kind (%#)', (value, text) => {
    expect(shown(value)).toBe(text);
  });

  it('cuts what is long', () => {
    expect(shown('x'.repeat(1_000_000))).toBe(`"${'x'.repeat(118)}…`);
    expect(shown(Array(1_000_000).fill(7), { longest: 9 })).toBe('[7,7,7,7…');
  });
});
