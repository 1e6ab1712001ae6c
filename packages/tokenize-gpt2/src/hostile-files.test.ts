import { describe, expect, it } from 'vitest';
import { TokenizerError } from './errors';
import { idsByToken, tiny, tinyFiles, tokensOf } from './testing/tiny-vocabulary';
import { GPT2Tokenizer } from './tokenizer';
import { type TokenizerFiles } from './options';

function refusal(files: Partial<TokenizerFiles>, limits = {}): TokenizerError {
  try {
    GPT2Tokenizer.fromFiles({ ...tinyFiles, ...files }, { limits });
  } catch (error) {
    if (TokenizerError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

/** Merges of single characters whose look-ups all begin at few places of the table (its hash, as merge-table.ts has it). */
function collidingMerges(count: number): { vocab: Record<string, number>; merges: string } {
  const characters = Object.keys(idsByToken(tokensOf([])));
  const pairs: { left: string; right: string; home: number }[] = [];
  for (const [leftId, left] of characters.entries()) {
    for (const [rightId, right] of characters.entries()) {
      let hash = Math.imul(leftId, 0x9e3779b1) ^ Math.imul(rightId, 0x85ebca6b);
      hash ^= hash >>> 15;
      pairs.push({ left, right, home: hash & (2 ** Math.ceil(Math.log2(count * 2)) - 1) });
    }
  }
  const chosen = pairs.sort((a, b) => a.home - b.home).slice(0, count);
  const tokens = [...characters, ...chosen.map(({ left, right }) => left + right)];
  return {
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges: chosen.map(({ left, right }) => `${left} ${right}\n`).join(''),
  };
}

describe('files made to do harm', () => {
  it.each<[string, Partial<TokenizerFiles>, string, RegExp]>([
    ['a nest in place of a vocabulary', { vocab: '{"a":'.repeat(2_000_000) }, 'INVALID_VOCABULARY', /nests deeper/],
    [
      'a vocabulary of empty lists',
      { vocab: `[${'[],'.repeat(4_000_000)}0]` },
      'OVER_BUDGET',
      /vocab.json: reading its/,
    ],
    [
      'a configuration of empty objects',
      { tokenizerConfig: `{"a":[${'{},'.repeat(3_000_000)}0]}` },
      'OVER_BUDGET',
      /config/,
    ],
    ['9 million line ends', { merges: '\n'.repeat(9_000_000) }, 'INVALID_MERGES', /line 1 is ""/],
    ['merges that collide', collidingMerges(3000), 'INVALID_MERGES', /falls on places that others have/],
    [
      'more added tokens than any has',
      {
        addedTokens: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`<|${i}|>`, tiny.endOfText + 1 + i])),
      },
      'UNSUPPORTED',
      /more than 250000 characters together/,
    ],
  ])('%s', (_, files, code, message) => {
    const error = refusal(files);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('are held to the limits of the caller', () => {
    const vocab = JSON.stringify(tinyFiles.vocab);
    expect(refusal({ vocab }, { memoryBytes: 4000 }).message).toMatch(/vocab.json: .* higher limits.memoryBytes/);
    expect(refusal({ vocab }, { steps: 100 }).message).toMatch(/higher limits.steps/);
    expect(refusal({}, { steps: NaN }).code).toBe('INVALID_OPTION');
  });
});
