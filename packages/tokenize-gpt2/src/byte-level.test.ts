import { describe, expect, it } from 'vitest';
import { goldenJson } from '../../../tools/test/golden';
import { GPT2Tokenizer } from './tokenizer';

interface GoldenByteLevel {
  readonly texts: readonly string[];
  readonly tokenizers: Readonly<
    Record<
      string,
      { readonly file: Readonly<Record<string, unknown>>; readonly ids: number[][]; readonly decoded: string[] }
    >
  >;
}

const { texts, tokenizers } = goldenJson<GoldenByteLevel>('byte-level.json');
const folderOf = (files: Readonly<Record<string, string>>) => ({
  has: async (path: string) => path in files,
  text: async (path: string) => files[path]!,
});
const load = (file: object, config: object = { bos_token: '<|start|>', eos_token: '<|end|>' }) =>
  GPT2Tokenizer.load(
    folderOf({
      'tokenizer.json': JSON.stringify(file),
      'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', ...config }),
    }),
  );

describe.each(Object.entries(tokenizers))('a tokenizer.json with the pre-tokenizer of %s', (_, golden) => {
  it("gives the ids and texts of Python's tokenizers, with a cold and with a warm cache", async () => {
    const tokenizer = await load(golden.file);
    for (let round = 0; round < 2; round++) {
      texts.forEach((text, i) => expect({ text, ids: tokenizer.encode(text) }).toEqual({ text, ids: golden.ids[i] }));
    }
    golden.ids.forEach((ids, i) => expect(tokenizer.decode(ids)).toBe(golden.decoded[i]));
  });

  it('is written as files that give the same', async () => {
    const tokenizer = await load(golden.file);
    const files = tokenizer.save();
    expect(Object.keys(files)).toEqual(['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']);
    const again = await GPT2Tokenizer.load(folderOf(files));
    texts.forEach((text, i) => expect(again.encode(text)).toEqual(golden.ids[i]));
    expect(again.specialTokensMap).toEqual({ bosToken: '<|start|>', eosToken: '<|end|>' });
    // What the tokenizers library itself wrote, but for how the alphabet's bytes are put back together.
    const parts = ['normalizer', 'pre_tokenizer', 'added_tokens'];
    const written = JSON.parse(files['tokenizer.json']!) as Record<string, unknown>;
    for (const part of parts) expect(written[part]).toEqual(golden.file[part]);
  });
});

it('refuses other pre-tokenizers and normalizers by what they are', async () => {
  const { file } = tokenizers['qwen2']!;
  await expect(load({ ...file, pre_tokenizer: { type: 'Metaspace' } })).rejects.toThrow(
    `pre_tokenizer is {"type":"Metaspace"}; GPT-2's, SmolLM's, Llama 3's and Qwen2's are known`,
  );
  await expect(load({ ...file, normalizer: { type: 'Lowercase' } })).rejects.toThrow(
    'normalizer.type is "Lowercase"; none and NFC are known',
  );
});

it('has no special tokens that a class other than GPT-2 does not name', async () => {
  const tokenizer = await load(tokenizers['qwen2']!.file, {});
  expect(tokenizer.specialTokensMap).toEqual({});
});

it('leaves bytes out that SmolLM has no token for, as tokenizers does', async () => {
  const { file } = tokenizers['smollm']!;
  const model = file['model'] as { readonly vocab: Readonly<Record<string, number>>; readonly merges: unknown };
  const ids = Object.entries(model.vocab).sort(([, a], [, b]) => a - b);
  // The byte 4, spelled Ą, gives its place to a token that nothing makes.
  const vocab = Object.fromEntries(ids.map(([token, id]) => [token === 'Ą' ? 'none' : token, id]));
  const tokenizer = await load({ ...file, model: { ...model, vocab } });
  expect(tokenizer.encode('a\u0004b')).toEqual(tokenizer.encode('ab'));
});
