import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenVariants } from '../../test/golden-variants';
import { drawToken, likeliestToken, penaliseRepetition } from './pick-token';

const { logits, cases } = goldenVariants.draws;

describe('drawToken', () => {
  it.each(cases)(
    'temperature $temperature, top-k $topK, top-p $topP: the probabilities of transformers',
    ({ probabilities, ...options }) => {
      const draws = 20_000;
      const counts = new Array<number>(logits.length).fill(0);
      // Evenly spaced instead of random numbers: the shares are exact to one draw a token.
      for (let i = 0; i < draws; i++) counts[drawToken(Float32Array.from(logits), (i + 0.5) / draws, options)]!++;
      counts.forEach((count, id) => {
        expect(Math.abs(count / draws - probabilities[id]!), `token ${id}`).toBeLessThan(1.5 / draws);
      });
    },
  );

  it('takes the likeliest token at 0 and the least likely kept one just below 1', () => {
    const options = { temperature: 1, topK: 3, topP: 1 };
    const of = (uniform: number) => drawToken(Float32Array.of(1, 4, 2, 3, 0), uniform, options);
    expect([of(0), of(1 - 2 ** -24)]).toEqual([1, 2]);
  });

  it('draws only tokens among the k likeliest, whatever the logits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: -50, max: 50 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 45 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (values, topK, uniform) => {
          const id = drawToken(Float32Array.from(values), uniform, { temperature: 1, topK, topP: 1 });
          expect(values.filter((value) => value > values[id]!).length).toBeLessThan(topK);
        },
      ),
    );
  });

  it('passes over tokens that are ruled out', () => {
    const only = Float32Array.of(-Infinity, 0, -Infinity);
    expect(drawToken(only, 0.99, { temperature: 1, topK: 0, topP: 1 })).toBe(1);
  });
});

describe('likeliestToken', () => {
  it('is the first of equal ones', () => {
    expect(likeliestToken(Float32Array.of(-1, 3, 3))).toBe(1);
  });

  it.each([
    ['NaN', [1, NaN, 2]],
    ['Infinity', [1, Infinity]],
    ['-Infinity', [-Infinity, -Infinity]],
  ])('refuses logits that are %s', (shown, values) => {
    expect(() => likeliestToken(Float32Array.from(values))).toThrow(
      expect.objectContaining({ code: 'NON_FINITE', message: expect.stringContaining(shown) as string }) as Error,
    );
  });
});

it('penaliseRepetition makes each token that is there less likely once', () => {
  const scores = Float32Array.of(2, -2, 1, 4);
  penaliseRepetition(scores, [0, 1, 0], 2);
  expect([...scores]).toEqual([1, -4, 1, 4]);
});
