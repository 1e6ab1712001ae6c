import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopStrings } from './stop-strings';

const given = (stops: readonly string[], pieces: readonly string[]): [string[], boolean] => {
  const text = new StopStrings(stops);
  const parts = pieces.map((piece) => text.push(piece));
  return [[...parts, text.end()], text.stopped];
};

describe('StopStrings', () => {
  it('holds back what may begin a stop, and gives it where it is none', () => {
    expect(given(['\n\n', 'User:'], ['a\n', 'b', ' Use', 'ful\n', '\nc', 'd'])).toEqual([
      ['a', '\nb', ' ', 'Useful', '', '', ''],
      true,
    ]);
    expect(given(['END'], ['E', 'N'])).toEqual([['', '', 'EN'], false]);
    expect(given([], ['a', 'b'])).toEqual([['a', 'b', ''], false]);
  });

  it('gives, however the text is cut, what stands before the first stop', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { maxLength: 12 }),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 }), { maxLength: 3 }),
        (pieces, stops) => {
          // Pieces come one after the other, so a stop that is whole earlier goes before one that begins earlier.
          const whole = pieces.join('');
          const [parts, stopped] = given(stops, [...whole]);
          const ends = stops
            .map((stop) => whole.indexOf(stop) + stop.length)
            .filter((_, at) => whole.includes(stops[at]!));
          const end = Math.min(...ends);
          const starts = stops.map((stop) => whole.slice(0, end).indexOf(stop)).filter((start) => start >= 0);
          expect(parts.join('')).toBe(ends.length === 0 ? whole : whole.slice(0, Math.min(...starts)));
          expect(stopped).toBe(ends.length > 0);
        },
      ),
    );
  });
});
