import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashWord, WordCache } from './word-cache';

/** Ids a word stands for in these tests: its code units, and a tail that makes the numbers of ids differ. */
function idsOf(word: string): Int32Array {
  return Int32Array.from(
    [...word].flatMap((character) => [character.charCodeAt(0), character.length]).slice(0, word.length * 2 - 1),
  );
}

function look(cache: WordCache, word: string, hash: number): number[] | undefined {
  if (!cache.find(`<${word}>`, 1, word.length + 1, hash)) return undefined;
  return [...cache.ids.subarray(cache.idStart, cache.idEnd)];
}

describe('WordCache', () => {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', 'é') }), {
    maxLength: 80,
  });

  it('gives back what was entered, or nothing, whatever was dropped meanwhile', () => {
    fc.assert(
      fc.property(words, fc.integer({ min: 2, max: 12 }), fc.boolean(), (sequence, capacity, collide) => {
        const cache = new WordCache(capacity);
        for (const word of sequence) {
          const hash = collide ? 7 : hashWord(word, 0, word.length);
          const ids = idsOf(word);
          const found = look(cache, word, hash);
          if (found === undefined) cache.add(word, 0, word.length, hash, ids, ids.length);
          else expect(found).toEqual([...ids]);
          expect(look(cache, word, hash)).toEqual([...ids]);
          expect(cache.size).toBeLessThanOrEqual(capacity);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps words in use and drops those that are not', () => {
    const cache = new WordCache(8);
    const enter = (word: string): void => {
      const ids = idsOf(word);
      if (look(cache, word, hashWord(word, 0, word.length)) === undefined) {
        cache.add(word, 0, word.length, hashWord(word, 0, word.length), ids, ids.length);
      }
    };
    enter('used');
    enter('once');
    for (let round = 0; round < 40; round++) {
      enter(`filler ${round}`);
      enter('used');
    }
    expect(look(cache, 'used', hashWord('used', 0, 4))).toEqual([...idsOf('used')]);
    expect(look(cache, 'once', hashWord('once', 0, 4))).toBeUndefined();
    expect(look(cache, 'filler 0', hashWord('filler 0', 0, 8))).toBeUndefined();
  });

  it('tells words of one hash apart, and prefixes too', () => {
    const cache = new WordCache(8);
    for (const word of ['ab', 'abc', 'a']) cache.add(word, 0, word.length, 1, idsOf(word), 1);
    expect(look(cache, 'abc', 1)).toEqual([97]);
    expect(look(cache, 'abd', 1)).toBeUndefined();
    expect(look(cache, 'b', 1)).toBeUndefined();
  });
});
