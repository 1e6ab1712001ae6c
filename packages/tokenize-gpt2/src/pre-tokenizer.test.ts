import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { characterClass, CharacterClass, preTokenize } from './pre-tokenizer';
import { randomTexts } from './testing/random-text';

/** A regex class of the code points of a kind, so that the regex has the table's classes and not the runtime's. */
function regexClass(kind: number): string {
  let ranges = '';
  let start = -1;
  for (let code = 0; code <= 0x110000; code++) {
    const inside = code < 0x110000 && characterClass(code) === kind;
    if (inside && start < 0) start = code;
    if (!inside && start >= 0) {
      ranges += `\\u{${start.toString(16)}}-\\u{${(code - 1).toString(16)}}`;
      start = -1;
    }
  }
  return ranges;
}

const letter = regexClass(CharacterClass.letter);
const number = regexClass(CharacterClass.number);
const space = regexClass(CharacterClass.whiteSpace);
const pattern = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?[${letter}]+| ?[${number}]+| ?[^${space}${letter}${number}]+|[${space}]+(?![^${space}])|[${space}]+`,
  'gu',
);
const byRegex = (text: string): string[] => text.match(pattern) ?? [];

describe('preTokenize', () => {
  it.each<[string, string[]]>([
    ['', []],
    ["I'm can't they'll WE'VE", ['I', "'m", ' can', "'t", ' they', "'ll", ' WE', "'", 'VE']],
    ["'re've'd's'l'", ["'re", "'ve", "'d", "'s", "'", 'l', "'"]],
    ["!'s 's ''s", ["!'", 's', " '", 's', " ''", 's']],
    ['a  b', ['a', ' ', ' b']],
    ['a \n b', ['a', ' \n', ' b']],
    ['a\nb', ['a', '\n', 'b']],
    ['a\n\nb', ['a', '\n', '\n', 'b']],
    ['a  ', ['a', '  ']],
    ['£1,000 3½²', ['£', '1', ',', '000', ' 3½²']],
    ['a\u00a0b', ['a', '\u00a0', 'b']],
    ['e\u0301té', ['e', '\u0301', 'té']],
    ['𝒳𝟘🙂日', ['𝒳', '𝟘', '🙂', '日']],
    [' 🙂', [' 🙂']],
  ])('cuts %j as the regex of GPT-2 does', (text, words) => {
    expect(preTokenize(text)).toEqual(words);
  });

  it('has the white space of Rust, not of JavaScript', () => {
    expect(characterClass(0x85)).toBe(CharacterClass.whiteSpace);
    expect(characterClass(0xfeff)).toBe(CharacterClass.other);
    expect(characterClass(0x180e)).toBe(CharacterClass.other);
    expect(preTokenize('a\u0085b\ufeffc')).toEqual(['a', '\u0085', 'b', '\ufeff', 'c']);
  });

  it('has the classes of Unicode 16 whatever the runtime has', () => {
    const counts = [0, 0, 0, 0];
    for (let code = 0; code < 0x110000; code++) counts[characterClass(code)]!++;
    expect(counts[CharacterClass.letter]).toBe(141_028);
    expect(counts[CharacterClass.number]).toBe(1_911);
    expect(counts[CharacterClass.whiteSpace]).toBe(25);
    // U+1C89 came with Unicode 16, U+088F with 17.
    expect(characterClass(0x1c89)).toBe(CharacterClass.letter);
    expect(characterClass(0x88f)).toBe(CharacterClass.other);
  });

  it('never calls a letter or number what the runtime knows as something else', () => {
    const differing: string[] = [];
    for (let code = 0; code < 0x110000; code++) {
      const text = String.fromCodePoint(code);
      const kind = characterClass(code);
      if (/\p{Cn}/u.test(text)) continue;
      if ((kind === CharacterClass.letter) !== /\p{L}/u.test(text) && kind !== CharacterClass.other)
        differing.push(text);
      if ((kind === CharacterClass.number) !== /\p{N}/u.test(text) && kind !== CharacterClass.other)
        differing.push(text);
    }
    expect(differing).toEqual([]);
  });

  it('equals the regex on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(preTokenize(text)).toEqual(byRegex(text));
      }),
      { numRuns: 300 },
    );
    const tricky = fc.constantFrom(
      ' ',
      '  ',
      "'",
      's',
      're',
      'v',
      'll',
      'a',
      'é',
      '1',
      '½',
      '!',
      '\n',
      '\u00a0',
      '🙂',
      '𝒳',
    );
    fc.assert(
      fc.property(fc.array(tricky, { maxLength: 12 }), (parts) => {
        expect(preTokenize(parts.join(''))).toEqual(byRegex(parts.join('')));
      }),
      { numRuns: 1000 },
    );
    for (const text of randomTexts({ count: 300, seed: 11 })) expect(preTokenize(text)).toEqual(byRegex(text));
  });

  it('covers texts with lone surrogates without a gap', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0xd700, max: 0xe100 }), { maxLength: 20 }), (codes) => {
        const text = String.fromCharCode(...codes);
        const words = preTokenize(text);
        expect(words.join('')).toBe(text);
        expect(words.every((word) => word.length > 0)).toBe(true);
      }),
    );
  });
});
