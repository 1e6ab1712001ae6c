import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { byteAlphabet } from './byte-alphabet';
import { BytePairEncoder } from './byte-pair-encoder';
import { baseFiles } from './testing/base-files';
import { idsByToken, tokensOf } from './testing/tiny-vocabulary';
import { readVocabulary, type Vocabulary } from './vocabulary';

/** Byte-pair encoding as its definition says, on strings: the lowest rank first, of equals the leftmost. */
function bySlowReference(word: string, vocabulary: Vocabulary): number[] {
  const ranks = new Map(vocabulary.merges.map((merge, rank) => [merge, rank]));
  const parts = [...new TextEncoder().encode(word)].map((byte) => byteAlphabet[byte]!);
  for (;;) {
    let best = Infinity;
    let place = -1;
    for (let at = 0; at + 1 < parts.length; at++) {
      const rank = ranks.get(`${parts[at]} ${parts[at + 1]}`) ?? Infinity;
      if (rank < best) [best, place] = [rank, at];
    }
    if (place < 0) return parts.map((part) => vocabulary.idOfToken.get(part)!);
    parts.splice(place, 2, parts[place]! + parts[place + 1]!);
  }
}

function encode(encoder: BytePairEncoder, word: string): number[] {
  const count = encoder.encode(word, 0, word.length);
  return [...encoder.ids.subarray(0, count)];
}

/** Merges of pairs chosen at random among all tokens there are so far: any order, several ways to one product. */
const vocabularies = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 40 }).map((choices) => {
  const tokens = ['a', 'b', 'c', 'Ã', '©'];
  const merges = new Set<string>();
  for (const [left, right] of choices) {
    const merge = `${tokens[left % tokens.length]} ${tokens[right % tokens.length]}`;
    merges.add(merge);
    const product = merge.replace(' ', '');
    if (!tokens.includes(product) && product.length <= 12) tokens.push(product);
  }
  const list = [...merges];
  return readVocabulary({ vocab: idsByToken(tokensOf(list)), merges: list });
});

describe('BytePairEncoder', () => {
  it('equals the slow reference for any merges, in short words and in long ones', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c', 'é', 'aa', 'abc', 'ca'), { maxLength: 60 });
    fc.assert(
      fc.property(vocabularies, words, (vocabulary, parts) => {
        const word = parts.join('');
        expect(encode(new BytePairEncoder(vocabulary), word)).toEqual(bySlowReference(word, vocabulary));
      }),
      { numRuns: 500 },
    );
  });

  it('takes the leftmost of equal pairs', () => {
    const merges = ['a a'];
    const vocabulary = readVocabulary({ vocab: idsByToken(tokensOf(merges)), merges });
    const [a, aa] = [vocabulary.idOfToken.get('a')!, vocabulary.idOfToken.get('aa')!];
    const encoder = new BytePairEncoder(vocabulary);
    expect(encode(encoder, 'aaa')).toEqual([aa, a]);
    expect(encode(encoder, 'a'.repeat(101))).toEqual([...new Array<number>(50).fill(aa), a]);
  });

  it('writes the UTF-8 of every plane, and U+FFFD for a lone surrogate', () => {
    const vocabulary = readVocabulary({ vocab: idsByToken(tokensOf([])), merges: [] });
    const encoder = new BytePairEncoder(vocabulary);
    const bytes = (text: string): number[] =>
      [...new TextEncoder().encode(text)].map((byte) => vocabulary.idOfByte[byte]!);
    for (const text of ['a', '\u007f\u0080', '\u07ff\u0800', '\uffff', '\u{10000}', '\u{10ffff}', 'é日🙂']) {
      expect(encode(encoder, text)).toEqual(bytes(text));
    }
    for (const text of ['\ud800', 'a\udc00b', '\ud83d\ud83d\ude42', '\udc00\ud800']) {
      expect(encode(encoder, text)).toEqual(bytes(text));
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(encode(encoder, text)).toEqual(bytes(text));
      }),
    );
  });
});

describe("BytePairEncoder on GPT-2's merges", () => {
  let vocabulary: Vocabulary;

  beforeAll(() => {
    vocabulary = readVocabulary(baseFiles());
  });

  it('equals the slow reference', () => {
    const encoder = new BytePairEncoder(vocabulary);
    const words = [
      'antidisestablishmentarianism',
      'internationalization'.repeat(5),
      '日本語の文章です'.repeat(8),
      'aaaaaaaa',
      '####',
    ];
    for (const word of words) expect(encode(encoder, word)).toEqual(bySlowReference(word, vocabulary));
  });

  it('gives every merged token itself', () => {
    const encoder = new BytePairEncoder(vocabulary);
    const utf8 = new TextDecoder('utf-8', { fatal: true });
    let whole = 0;
    for (const merge of vocabulary.merges.slice(0, 20_000)) {
      const token = merge.replace(' ', '');
      const bytes = Uint8Array.from([...token], (character) => byteAlphabet.indexOf(character));
      let text: string;
      try {
        text = utf8.decode(bytes);
      } catch {
        continue;
      }
      whole++;
      expect(encode(encoder, text)).toEqual([vocabulary.idOfToken.get(token)]);
    }
    expect(whole).toBeGreaterThan(19_000);
  });
});
