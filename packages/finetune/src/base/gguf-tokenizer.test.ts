import { expect, it } from 'vitest';
import type { GgufModelFiles, GgufValue } from '@qlora-js/hub';
import { tokenizerOfGguf } from './gguf-tokenizer';

/** The 256 bytes as byte-level tokens, after two special ones. */
function vocabulary(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
  return ['<|im_start|>', '<|im_end|>', ...bytes, 'hi', '12'];
}

function ggufOf(changes: Readonly<Record<string, GgufValue>> = {}): GgufModelFiles {
  const tokens = vocabulary();
  const metadata = new Map<string, GgufValue>(
    Object.entries({
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'smollm',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': tokens.map((_, id) => (id < 2 ? 3 : 1)),
      'tokenizer.ggml.merges': ['h i', '1 2'],
      'tokenizer.ggml.bos_token_id': 0,
      'tokenizer.ggml.eos_token_id': 1,
      ...changes,
    }),
  );
  return { id: 'm.gguf', gguf: { name: 'm.gguf', metadata } } as unknown as GgufModelFiles;
}

it('reads vocabulary, merges, special tokens and the way words are cut', () => {
  const tokenizer = tokenizerOfGguf(ggufOf());
  expect([tokenizer.bosToken, tokenizer.eosToken, tokenizer.length]).toEqual(['<|im_start|>', '<|im_end|>', 260]);
  // SmolLM's digits stand alone, so the merge of 1 and 2 is never made; the special token is one.
  expect(tokenizer.tokenize('hi12<|im_end|>')).toEqual(['hi', '1', '2', '<|im_end|>']);
  const gpt2 = tokenizerOfGguf(ggufOf({ 'tokenizer.ggml.pre': 'gpt-2' }));
  expect(gpt2.tokenize('hi12')).toEqual(['hi', '12']);
});

it('names a vocabulary that it does not read', () => {
  expect(() => tokenizerOfGguf(ggufOf({ 'tokenizer.ggml.pre': 'tekken' }))).toThrow(
    "m.gguf has a tokenizer of the kind 'tekken'; byte-level ones of gpt-2, smollm, llama-bpe, qwen2 are read",
  );
  expect(() => tokenizerOfGguf(ggufOf({ 'tokenizer.ggml.model': 'llama' }))).toThrow("of the kind 'llama'");
});
