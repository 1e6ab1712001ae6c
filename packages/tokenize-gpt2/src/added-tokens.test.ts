import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddedTokens, readAddedToken } from './added-tokens';
import type { NewToken } from './options';
import { GPT2Tokenizer } from './tokenizer';
import { tinyFiles } from './testing/tiny-vocabulary';

/** The text cut at the tokens: added ones in angle brackets. */
function split(text: string, ...tokens: NewToken[]): string[] {
  const tokenizer = GPT2Tokenizer.fromFiles(tinyFiles);
  tokenizer.addTokens(tokens);
  const added = new AddedTokens();
  for (const token of tokens) {
    const given = typeof token === 'string' ? { content: token } : token;
    const flags = {
      single_word: given.singleWord ?? false,
      lstrip: given.lstrip ?? false,
      rstrip: given.rstrip ?? false,
    };
    added.set(
      readAddedToken(
        {
          content: given.content,
          ...flags,
          ...(given.normalized === undefined ? {} : { normalized: given.normalized }),
        },
        'test',
        false,
      ),
      tokenizer.convertTokensToIds(given.content),
    );
  }
  const pieces = added.split(text) ?? [{ id: -1, start: 0, end: text.length }];
  return pieces.map(({ id, start, end }) => (id < 0 ? text.slice(start, end) : `[${text.slice(start, end)}]`));
}

describe('AddedTokens', () => {
  it('finds tokens wherever they are', () => {
    expect(split('a<x>b<x>', '<x>')).toEqual(['a', '[<x>]', 'b', '[<x>]']);
    expect(split('<x><x>', '<x>')).toEqual(['[<x>]', '[<x>]']);
    expect(split('<x', '<x>')).toEqual(['<x']);
    expect(split('.*a+$', '.*', '$')).toEqual(['[.*]', 'a+', '[$]']);
  });

  it('takes the longest of those that begin at one place', () => {
    expect(split('taggertag', 'tag', 'tagger')).toEqual(['[tagger]', '[tag]']);
    expect(split('abcd', 'bc', 'abc')).toEqual(['[abc]', 'd']);
  });

  it('takes white space beside a token that strips it', () => {
    expect(split('a  <x> \u0085b', { content: '<x>', lstrip: true, rstrip: true })).toEqual([
      'a',
      '[  <x> \u0085]',
      'b',
    ]);
    expect(split('a <x> b', { content: '<x>', lstrip: true })).toEqual(['a', '[ <x>]', ' b']);
    expect(split('a <x> b', { content: '<x>', rstrip: true })).toEqual(['a ', '[<x> ]', 'b']);
    expect(split('<x> <x>', { content: '<x>', lstrip: true, rstrip: true })).toEqual(['[<x> ]', '[<x>]']);
    expect(split('a\ufeff<x>', { content: '<x>', lstrip: true })).toEqual(['a\ufeff', '[<x>]']);
  });

  it('leaves a whole-word token alone inside a word', () => {
    const wor = { content: 'wor', singleWord: true };
    expect(split('wor', wor)).toEqual(['[wor]']);
    expect(split('a wor, word sword wor', wor)).toEqual(['a ', '[wor]', ', word sword ', '[wor]']);
    expect(split('éwor wor日 wor_ wor\u0301 𝒳wor wor𝒳 🙂wor', wor)).toEqual([
      'éwor wor日 wor_ wor\u0301 𝒳wor wor𝒳 🙂',
      '[wor]',
    ]);
  });

  it('looks for tokens that are not normalized first', () => {
    expect(split('abc', 'ab', { content: 'bc', normalized: false })).toEqual(['a', '[bc]']);
    expect(split('abc', 'ab', 'bc')).toEqual(['[ab]', 'c']);
  });

  it('covers the text without a gap, with few tokens and with many', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', ' '), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(letters, { minLength: 1, maxLength: 12 }),
        fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'c') }),
        (tokens, text) => {
          const pieces = split(text, ...tokens);
          expect(pieces.map((piece) => piece.replace(/^\[|\]$/g, '')).join('')).toBe(text);
          for (const piece of pieces)
            if (!piece.startsWith('[')) for (const token of tokens) expect(piece).not.toContain(token);
        },
      ),
    );
  });
});
