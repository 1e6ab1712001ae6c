/** What random texts are made of; every kind is hard on a tokenizer in its own way. */
export interface RandomTextOptions {
  count: number;
  seed: number;
  /** Strings strewn in: special tokens, say. */
  markers?: readonly string[];
}

const fragments = [
  ...["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'", "''", "'x", " 's", "I'll", "don't"],
  ...[
    ' ',
    '  ',
    '   ',
    '\n',
    '\n\n',
    '\t',
    '\r\n',
    '\u00a0',
    '\u2003',
    '\u3000',
    '\u0085',
    '\ufeff',
    '\u200b',
    '\u180e',
  ],
  ...[
    'the',
    ' card',
    'Payment',
    'WHY',
    ' naïve',
    'ﬁ',
    '日本語',
    ' 한국어',
    'ελληνικά',
    ' русский',
    'עברית',
    'हिन्दी',
    'ไทย',
  ],
  ...[
    '0',
    '123',
    ' 3.14',
    '½',
    '٣',
    'Ⅻ',
    '²',
    '𝟘',
    '1st',
    '#',
    '##',
    '####',
    '!?',
    ' --',
    '...',
    '(',
    ')',
    '"',
    '\\',
    '/',
  ],
  ...['🙂', '👍🏽', '👨‍👩‍👧', '🇳🇱', '𝒳', '𠀀', 'e\u0301', '\u0301', '\u0000', '\u001c', '\u007f', 'İ', 'ß', 'Å', 'Å'],
];

/** Seeded texts of all planes of Unicode, without lone surrogates; for tests and comparisons. */
export function randomTexts({ count, seed, markers = [] }: RandomTextOptions): string[] {
  let state = seed >>> 0;
  // Mulberry32.
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  const codePoint = (limit: number): string => {
    const code = below(limit);
    return code >= 0xd800 && code < 0xe000 ? '\ufffd' : String.fromCodePoint(code);
  };
  const part = (): string => {
    switch (below(markers.length > 0 ? 8 : 7)) {
      case 0:
        return codePoint(0x80);
      case 1:
        return codePoint(0x800);
      case 2:
        return codePoint(0x10000);
      case 3:
        return codePoint(0x110000);
      case 7:
        return markers[below(markers.length)]!;
      default:
        return fragments[below(fragments.length)]!;
    }
  };
  return Array.from({ length: count }, () => Array.from({ length: below(24) }, part).join(''));
}
