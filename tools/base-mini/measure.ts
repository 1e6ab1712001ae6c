import { INFERENCE, openDevice } from '@qlora-js/kernels';
import { loadGpt2LMHeadModel, nextTokenLabels, packSequences, type GPT2LMHeadModel } from '@qlora-js/gpt2';
import type { ModelFiles } from '@qlora-js/hub';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import { tidy } from '@tensorflow/tfjs-core';

/** Rows of a batch: their logits over the vocabulary are 100 MB. */
const ROWS = 512;

export interface TokenLoss {
  /** Mean cross-entropy a token, in nats. */
  readonly loss: number;
  readonly tokens: number;
}

/** Mean loss a token over texts, each read after the bos token, so that its first token counts too. */
export async function tokenLoss(
  model: GPT2LMHeadModel,
  tokenizer: GPT2Tokenizer,
  texts: readonly string[],
  onText: (done: number) => void = () => undefined,
): Promise<TokenLoss> {
  const encoded = texts.map((text) => [tokenizer.bosTokenId!, ...tokenizer.encode(text)]);
  let sum = 0;
  let tokens = 0;
  for (let start = 0; start < encoded.length;) {
    const batch: number[][] = [];
    for (
      let rows = 0;
      start < encoded.length && (batch.length === 0 || rows < ROWS);
      rows += encoded[start++]!.length
    ) {
      batch.push(encoded[start]!);
    }
    const counted = batch.reduce((total, { length }) => total + length - 1, 0);
    sum += counted * (await batchLoss(model, batch));
    tokens += counted;
    onText(start);
  }
  return { loss: sum / tokens, tokens };
}

async function batchLoss(model: GPT2LMHeadModel, sequences: readonly number[][]): Promise<number> {
  const packed = packSequences(sequences, model.config);
  const labels = nextTokenLabels(sequences.map((ids) => ({ ids })));
  const loss = tidy(() => model.loss(packed, labels, INFERENCE).loss);
  const value = (await loss.data())[0]!;
  loss.dispose();
  labels.dispose();
  packed.dispose();
  return value;
}

/** `tokenLoss` of a model that is loaded for it, on wasm, its 4-bit weights as they are stored. */
export async function tokenLossOf(files: ModelFiles, texts: readonly string[]): Promise<TokenLoss> {
  const device = await openDevice({ backend: 'wasm' });
  const { model } = await loadGpt2LMHeadModel(files);
  const loss = await tokenLoss(model, await GPT2Tokenizer.load(files), texts);
  model.dispose();
  device.dispose();
  return loss;
}
