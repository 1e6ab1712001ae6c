import { beforeAll, describe, expect, it } from 'vitest';
import { goldenJson } from '../../../tools/test/golden';
import { baseFiles } from './testing/base-files';
import { GPT2Tokenizer } from './tokenizer';

interface GoldenText {
  text: string;
  ids: number[];
  decoded: string;
}

describe("transformers' ids", () => {
  let tokenizer: GPT2Tokenizer;
  let golden: GoldenText[];

  beforeAll(() => {
    tokenizer = GPT2Tokenizer.fromFiles(baseFiles());
    golden = goldenJson('tokenizer.json');
  });

  it('encodes every golden text to the recorded ids, with a cold and with a warm cache', () => {
    expect(golden.length).toBeGreaterThan(70);
    for (let round = 0; round < 2; round++) {
      for (const { text, ids } of golden) expect({ text, ids: tokenizer.encode(text) }).toEqual({ text, ids });
    }
  });

  it('decodes them to the recorded texts', () => {
    for (const { ids, decoded } of golden) expect(tokenizer.decode(ids)).toBe(decoded);
  });

  it('has the sizes and special tokens of the base', () => {
    expect(tokenizer.vocabSize).toBe(50257);
    expect(tokenizer.length).toBe(50257);
    expect(tokenizer.modelMaxLength).toBe(256);
    expect(tokenizer.eosTokenId).toBe(50256);
    expect(tokenizer.padToken).toBeUndefined();
    expect(tokenizer.padTokenId).toBeUndefined();
  });
});
