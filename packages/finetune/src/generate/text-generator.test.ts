import { folderFiles, resolveModel } from '@qlora-js/hub/node';
import { openDevice, type Device } from '@qlora-js/kernels';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenJson, goldenPath } from '../../../../tools/test/golden';
import type { ChatMessage } from './chat-template';
import { openTextGenerator } from './open-generator';
import type { GenerateTextOptions, TextGenerator } from './text-generator';

interface Written {
  readonly promptTokens: number;
  readonly tokens: readonly number[];
  readonly text: string;
}

/** What transformers writes: tools/python/golden/generation.py. */
const golden = goldenJson<{
  readonly greedy: readonly (Written & { readonly prompt: string; readonly options: GenerateTextOptions })[];
  readonly conversations: readonly (Written & { readonly messages: ChatMessage[]; readonly rendered: string })[];
}>('generation/answers.json');

const BASES = {
  'a folder': () => folderFiles(goldenPath('generation')),
  'a GGUF file': () => resolveModel(`${goldenPath('generation')}/tiny.gguf`),
};

describe.each(Object.entries(BASES))('a text generator from %s', (_, open) => {
  let device: Device;
  let generator: TextGenerator;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
    generator = await openTextGenerator({ base: { id: 'tiny', files: await open() }, quantization: null, device });
  });
  afterAll(() => {
    generator.dispose();
    expect(device.memory().tensors).toBe(0);
    device.dispose();
  });

  it.each(golden.greedy)('goes on as transformers does, greedily: $prompt $options', async (expected) => {
    const { prompt, options, promptTokens, tokens, text } = expected;
    const pieces: string[] = [];
    const onText = (piece: string): void => void pieces.push(piece);
    expect(await generator.generate(prompt, { ...options, onText })).toEqual({
      ...{ promptTokens, tokens, text },
      finishReason: tokens.length < options.maxNewTokens! || tokens.at(-1) === 0 ? 'eos' : 'length',
    });
    expect(pieces.join('')).toBe(text);
    expect(pieces.length).toBeGreaterThan(3);
  });

  it.each(golden.conversations)(
    "answers a conversation as transformers' chat template has it: $rendered",
    async (one) => {
      const answer = await generator.chat(one.messages, { maxNewTokens: 16 });
      expect(answer).toMatchObject({ promptTokens: one.promptTokens, tokens: one.tokens, text: one.text });
    },
  );
});

describe('a text generator', () => {
  let device: Device;
  let generator: TextGenerator;
  beforeAll(async () => {
    device = await openDevice({ backend: 'wasm' });
    generator = await openTextGenerator({ base: { id: 'tiny', files: await BASES['a folder']() }, device });
  });
  afterAll(() => {
    generator.dispose();
    device.dispose();
  });

  it('ends before a stop string, and shows nothing of it', async () => {
    const whole = await generator.generate('the card', { maxNewTokens: 24 });
    const stop = whole.text.slice(6, 9);
    let shown = '';
    const cut = await generator.generate('the card', {
      maxNewTokens: 24,
      stop: [stop],
      onText: (piece) => void (shown += piece),
    });
    expect([cut.finishReason, cut.text]).toEqual(['stop', whole.text.slice(0, whole.text.indexOf(stop))]);
    expect(shown).toBe(cut.text);
    expect(cut.tokens.length).toBeLessThan(whole.tokens.length);
  });

  it('ends where a signal says, which is heard between two tokens', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 0);
    const { finishReason, tokens } = await generator.generate('the card', { maxNewTokens: 100, signal: abort.signal });
    expect(finishReason).toBe('aborted');
    expect(tokens.length).toBeLessThan(100);
  });

  it('draws the same for the same seed', async () => {
    const draw = async (seed: number): Promise<string> =>
      (await generator.generate('the card', { maxNewTokens: 12, doSample: true, temperature: 1.5, topP: 0.95, seed }))
        .text;
    expect(await draw(1)).toBe(await draw(1));
    expect(await draw(1)).not.toBe(await draw(2));
  });

  it('adds no more tokens than there are positions, and refuses a prompt that leaves none', async () => {
    const { tokens, finishReason, promptTokens } = await generator.generate('a b '.repeat(36), {});
    expect(tokens.length + promptTokens).toBeLessThanOrEqual(generator.positions);
    expect(finishReason).toBe('length');
    await expect(generator.generate('a b '.repeat(100))).rejects.toThrow(/the model has 160 positions.*shorten/);
    await expect(generator.generate('a', { stop: [''] })).rejects.toThrow('a stop string is empty');
  });
});
