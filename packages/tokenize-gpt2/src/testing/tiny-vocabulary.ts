import { byteAlphabet } from '../byte-alphabet';

/** Tokens of the 256 bytes, of each merge's product once, and of the end of text. */
export function tokensOf(merges: readonly string[]): string[] {
  const products = merges.map((merge) => merge.replace(' ', ''));
  return [...new Set([...byteAlphabet, ...products, '<|endoftext|>'])];
}

export function idsByToken(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

const words = ['h e', 'l l', 'he ll', 'hell o', 'Ġ w', 'o r', 'Ġw or', 'l d', 'Ġwor ld', 'c a', 'ca r', 'car d'];

/** A vocabulary of a few words: "hello", " world" and "card" are one token each. */
export const tinyFiles = {
  vocab: idsByToken(tokensOf(words)),
  merges: ['#version: 0.2', ...words, ''].join('\n'),
};

/** Ids of the words in `tinyFiles`. */
export const tiny = {
  hello: tinyFiles.vocab['hello']!,
  world: tinyFiles.vocab['Ġworld']!,
  card: tinyFiles.vocab['card']!,
  endOfText: tinyFiles.vocab['<|endoftext|>']!,
};
