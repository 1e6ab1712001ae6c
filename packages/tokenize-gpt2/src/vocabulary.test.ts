import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenizerError, type TokenizerErrorCode } from './errors';
import { tiny, tinyFiles } from './testing/tiny-vocabulary';
import { readVocabulary } from './vocabulary';

function errorOf(vocab: unknown, merges: unknown): TokenizerError {
  try {
    readVocabulary({ vocab, merges });
  } catch (error) {
    if (error instanceof TokenizerError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

const { vocab, merges } = tinyFiles;
const without = (token: string): Record<string, number> => {
  const tokens = Object.keys(vocab).filter((other) => other !== token);
  return Object.fromEntries(tokens.map((other, id) => [other, id]));
};

describe('readVocabulary', () => {
  it('reads text and objects alike', () => {
    const fromText = readVocabulary({ vocab: JSON.stringify(vocab), merges });
    const fromObjects = readVocabulary({
      vocab,
      merges: merges
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')),
    });
    expect(fromText.tokens).toEqual(fromObjects.tokens);
    expect(fromText.merges).toEqual(fromObjects.merges);
    expect(fromText.tokens.length).toBe(256 + 12 + 1);
    expect(fromText.tokens[tiny.hello]).toBe('hello');
    expect(fromText.idOfByte[0x20]).toBe(vocab['Ġ']);
  });

  it('takes lines that end in CRLF or without a line end, and "# #" as a merge', () => {
    const more = { ...vocab, '##': Object.keys(vocab).length };
    const read = readVocabulary({ vocab: more, merges: '#version: 0.2\r\nh e\r\n# #' });
    expect(read.merges).toEqual(['h e', '# #']);
  });

  it('keeps tokens that are names of Object.prototype', () => {
    const size = Object.keys(vocab).length;
    const text = JSON.stringify(vocab).replace('{', `{"__proto__":${size},"constructor":${size + 1},`);
    const read = readVocabulary({ vocab: text, merges });
    expect(read.idOfToken.get('__proto__')).toBe(size);
    expect(read.idOfToken.get('constructor')).toBe(size + 1);
    expect(read.idOfToken.get('toString')).toBeUndefined();
  });

  it.each<[string, unknown, unknown, TokenizerErrorCode, RegExp]>([
    ['no JSON', '{"a": 0', merges, 'INVALID_VOCABULARY', /vocab\.json is not JSON.*complete/],
    ['a list', '["a"]', merges, 'INVALID_VOCABULARY', /object of ids by token, not \["a"\]/],
    ['null', 'null', merges, 'INVALID_VOCABULARY', /not null/],
    ['an id that is text', { ...vocab, h: '7' }, merges, 'INVALID_VOCABULARY', /token "h" the id "7"/],
    ['a negative id', { ...vocab, h: -1 }, merges, 'INVALID_VOCABULARY', /token "h" the id -1/],
    ['a broken id', { ...vocab, h: 1.5 }, merges, 'INVALID_VOCABULARY', /token "h" the id 1\.5/],
    ['an id twice', { ...vocab, h: vocab['e'] }, merges, 'INVALID_VOCABULARY', /the id 101 to both "e" and "h"/],
    ['a hole', { ...vocab, hello: 999 }, merges, 'INVALID_VOCABULARY', /"hello" the id 999.*0 to 268 without a hole/],
    ['a missing byte', without('ħ'), merges, 'INVALID_VOCABULARY', /no token for byte 0x85, spelled "ħ"/],
    ['no bytes at all', { hello: 0, '##ing': 1 }, '', 'INVALID_VOCABULARY', /no token for byte 0x00/],
    [
      'a product that is missing',
      without('hello'),
      merges,
      'INVALID_MERGES',
      /merge 3, "hell o", has the product "hello"/,
    ],
    ['a part that is missing', vocab, 'zz y', 'INVALID_MERGES', /merge 0, "zz y", has the left part "zz"/],
    ['a merge twice', vocab, 'h e\nh e', 'INVALID_MERGES', /merge 1, "h e", is there twice/],
    ['one token on a line', vocab, '#version: 0.2\nh e\nhello', 'INVALID_MERGES', /merges\.txt line 3 is "hello"/],
    ['three tokens on a line', vocab, 'h e l', 'INVALID_MERGES', /line 1 is "h e l"/],
    ['an empty line', vocab, 'h e\n\nl l\n', 'INVALID_MERGES', /line 2 is ""/],
    ['a pair of one', vocab, [['h']], 'INVALID_MERGES', /entry 0 is \["h"\]/],
    ['merges that are a number', vocab, 7, 'INVALID_MERGES', /not 7/],
  ])('names what is wrong with %s', (_, badVocab, badMerges, code, message) => {
    const error = errorOf(badVocab, badMerges);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('throws TokenizerError and nothing else, whatever the files hold', () => {
    const anything = fc.oneof(fc.string(), fc.json(), fc.jsonValue(), fc.constant(vocab), fc.constant(merges));
    fc.assert(
      fc.property(anything, anything, (first, second) => {
        try {
          readVocabulary({ vocab: first, merges: second });
        } catch (error) {
          expect(error).toBeInstanceOf(TokenizerError);
        }
      }),
    );
  });
});
