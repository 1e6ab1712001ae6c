import { memory } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDevice, type Device } from '@qlora-js/kernels';
import { describeBackends } from '@qlora-js/kernels/testing';
import { goldenVariants, padTexts } from '../../test/golden-variants';
import { floatTensor, TINY, tinyFiles, tinyTensors, type TinyConfig } from '../../../../tools/test/tiny-gpt2';
import type { GPT2LMHeadModel } from '../model/language-model';
import { loadGpt2LMHeadModel } from '../weights/load-language-model';
import type { GeneratedToken, GenerateOptions } from './generate';

async function load(changes: object = {}, seed = 0): Promise<GPT2LMHeadModel> {
  const config: TinyConfig = { ...TINY, ...changes };
  return (await loadGpt2LMHeadModel(tinyFiles(config, tinyTensors(config, seed)), { quantization: null })).model;
}

const { texts } = goldenVariants;

describeBackends('generate', () => {
  it.each(goldenVariants.generations)('greedy with $options gives the tokens of transformers', async (golden) => {
    const model = await load({}, goldenVariants.seed);
    const { repetition_penalty: repetitionPenalty, eos_token_id: eosTokenId } = golden.options;
    const options: GenerateOptions = {
      maxNewTokens: 12,
      ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
      ...(eosTokenId === undefined ? {} : { eosTokenId }),
    };
    // transformers goes on with padding after eos; ours ends there.
    const ends = golden.tokens.map((tokens) => tokens.indexOf(eosTokenId ?? 39));
    const expected = golden.tokens.map((tokens, row) => (ends[row]! < 0 ? tokens : tokens.slice(0, ends[row]! + 1)));
    const { tokens, finishReasons } = await model.generate(padTexts(texts, 'left', 39), options);
    expect(tokens).toEqual(expected);
    expect(finishReasons).toEqual(ends.map((end) => (end < 0 ? 'length' : 'eos')));
    if (eosTokenId !== undefined) expect(finishReasons).toContain('eos');
    model.dispose();
  });

  it.each<[string, GenerateOptions]>([
    ['greedy', {}],
    ['drawn', { doSample: true, temperature: 1.5, topK: 0, seed: 5 }],
  ])(
    '%s tokens are the same with the cache and without, alone and in a batch, and leave no tensors',
    async (_, how) => {
      const model = await load();
      const before = memory().numTensors;
      const prompts = [...texts, [7]];
      const options = { maxNewTokens: 15, eosTokenId: null, ...how };
      const cached = await model.generate(prompts, options);
      const plain = await model.generate(prompts, { ...options, useCache: false });
      expect(cached.tokens.map((tokens) => tokens.length)).toEqual([15, 15, 15]);
      expect(plain).toEqual(cached);
      const padded = await model.generate(padTexts(prompts, 'right', 0), options);
      expect(padded).toEqual(cached);
      const alone = await model.generate(prompts.slice(0, 1), options);
      expect(alone.tokens[0]).toEqual(cached.tokens[0]);
      expect(memory().numTensors).toBe(before);
      model.dispose();
    },
  );
});

describe('generate', () => {
  let device: Device;
  let model: GPT2LMHeadModel;

  beforeAll(async () => {
    device = await openDevice({ backend: 'cpu' });
    model = await load();
  });

  afterAll(() => {
    device.dispose();
  });

  it('draws the same with the same seed, other tokens with another', async () => {
    const of = async (seed: number) =>
      (await model.generate(texts, { doSample: true, temperature: 3, topK: 0, seed, maxNewTokens: 16 })).tokens;
    expect(await of(1)).toEqual(await of(1));
    expect(await of(2)).not.toEqual(await of(1));
  });

  it('hands out each token as it comes, eos included, and nothing after it', async () => {
    const seen: GeneratedToken[] = [];
    const { tokens } = await model.generate(texts, {
      maxNewTokens: 12,
      eosTokenId: [17, 5],
      onToken: (token) => void seen.push(token),
    });
    expect(tokens[1]!.at(-1)).toBe(17);
    tokens.forEach((ids, sequence) => {
      expect(seen.filter((token) => token.sequence === sequence)).toEqual(
        ids.map((id, index) => ({ sequence, index, id })),
      );
    });
    // Step by step through the batch, not text by text.
    expect(seen.slice(0, 4).map(({ sequence }) => sequence)).toEqual([0, 1, 0, 1]);
  });

  it('waits for what a token is told to, and ends a text where it is stopped', async () => {
    const order: string[] = [];
    const { tokens, finishReasons } = await model.generate(texts, {
      maxNewTokens: 6,
      eosTokenId: null,
      onToken: async ({ sequence, index }) => {
        await Promise.resolve();
        order.push(`token ${sequence} ${index}`);
      },
      stoppingCriteria: ({ sequence, index }) => {
        order.push(`stop? ${sequence} ${index}`);
        return sequence === 1 && index === 2;
      },
    });
    expect([tokens.map(({ length }) => length), finishReasons]).toEqual([
      [6, 3],
      ['length', 'stopped'],
    ]);
    expect(order.slice(0, 4)).toEqual(['token 0 0', 'stop? 0 0', 'token 1 0', 'stop? 1 0']);
  });

  it('takes a head of its own', async () => {
    const tied = await model.generate(texts, { maxNewTokens: 6 });
    const untied = await load({ tie_word_embeddings: false });
    expect([model.tied, untied.tied]).toEqual([true, false]);
    expect((await untied.generate(texts, { maxNewTokens: 6 })).tokens).not.toEqual(tied.tokens);
    untied.dispose();
  });

  it.each<[string, readonly number[][], GenerateOptions, RegExp]>([
    [
      'more tokens than positions',
      [[1, 2, 3]],
      { maxNewTokens: 22 },
      /prompt of 3 tokens and 22 new ones.*24 positions/,
    ],
    ['an empty prompt', [[1], []], {}, /row 1 has no tokens/],
    ['no prompts', [], {}, /there are no prompts/],
    ['an id that does not exist', [[40]], {}, /token id 40.*vocabulary of 40/],
    ['no new tokens', [[1]], { maxNewTokens: 0 }, /maxNewTokens is 0/],
    ['temperature 0', [[1]], { doSample: true, temperature: 0 }, /temperature is 0.*doSample: false/],
    ['top-p above 1', [[1]], { doSample: true, topP: 1.5 }, /topP is 1.5/],
    ['a negative top-k', [[1]], { doSample: true, topK: -1 }, /topK is -1/],
    ['a temperature that nothing uses', [[1]], { temperature: 0.7 }, /temperature only matters to draws/],
    ['a penalty of 0', [[1]], { repetitionPenalty: 0 }, /repetitionPenalty is 0/],
  ])('refuses %s and leaves no tensors', async (_, prompts, options, message) => {
    const before = memory().numTensors;
    await expect(model.generate(prompts, options)).rejects.toThrow(message);
    await expect(model.generate(prompts, options)).rejects.toMatchObject({ name: 'Gpt2Error' });
    expect(memory().numTensors).toBe(before);
  });

  it('stops at logits that are no numbers', async () => {
    const tensors = tinyTensors();
    // Finite weights that overflow in the forward pass.
    tensors.set('transformer.ln_f.weight', floatTensor('transformer.ln_f.weight', [8], new Float32Array(8).fill(3e38)));
    tensors.set(
      'transformer.wte.weight',
      floatTensor('transformer.wte.weight', [40, 8], new Float32Array(320).fill(9)),
    );
    const { model: broken } = await loadGpt2LMHeadModel(tinyFiles(TINY, tensors), { quantization: null });
    const before = memory().numTensors;
    await expect(broken.generate([[1]])).rejects.toMatchObject({ code: 'NON_FINITE' });
    expect(memory().numTensors).toBe(before);
    broken.dispose();
  });
});
