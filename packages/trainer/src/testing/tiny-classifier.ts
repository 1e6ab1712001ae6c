import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { Dataset, DataCollatorWithPadding, SeededRandom, type PreparedRow } from '@qlora-js/data';
import { GPT2ForSequenceClassification, GPT2Model, parseGpt2Config, type BlockLayers } from '@qlora-js/gpt2';
import { LayerNorm, Linear, normalValues } from '@qlora-js/kernels';
import { getPeftModel, loraConfig, type LoraConfig, type PeftModel } from '@qlora-js/lora';
import { Linear4bit } from '@qlora-js/quant';

export const PAD = 63;
const WIDTH = 32;
const LABELS = 3;

export interface TinyClassifierOptions {
  readonly quantised?: boolean;
  readonly dropout?: number;
  readonly lora?: Partial<LoraConfig>;
}

/** A two-layer GPT-2 of width 32 with random weights and an adapter, for loops that have to be fast. */
export function tinyClassifier({
  quantised = false,
  dropout = 0.1,
  lora = {},
}: TinyClassifierOptions = {}): PeftModel<GPT2ForSequenceClassification> {
  const config = parseGpt2Config({
    vocab_size: 64,
    n_positions: 32,
    n_embd: WIDTH,
    n_layer: 2,
    n_head: 2,
    eos_token_id: PAD,
    attn_pdrop: dropout,
    resid_pdrop: dropout,
    embd_pdrop: dropout,
  });
  let stream = 0;
  const random = (count: number, scale = 0.2): Float32Array =>
    normalValues(count, { seed: 5, stream: stream++ }).map((value) => value * scale);
  const linear = (outFeatures: number, inFeatures: number): Linear | Linear4bit => {
    const values = random(outFeatures * inFeatures);
    const bias = tensor1d(random(outFeatures));
    return quantised
      ? Linear4bit.fromDense(values, [outFeatures, inFeatures], {}, bias)
      : new Linear(tensor2d(values, [outFeatures, inFeatures]), bias);
  };
  const norm = (): LayerNorm =>
    new LayerNorm(tensor1d(random(WIDTH).map((value) => 1 + value)), tensor1d(random(WIDTH)), 1e-5);
  const blocks = Array.from({ length: 2 }, (): BlockLayers => ({
    ln1: norm(),
    cAttn: linear(3 * WIDTH, WIDTH),
    attnProjection: linear(WIDTH, WIDTH),
    ln2: norm(),
    cFc: linear(4 * WIDTH, WIDTH),
    mlpProjection: linear(WIDTH, 4 * WIDTH),
  }));
  const backbone = new GPT2Model(config, {
    wte: tensor2d(random(64 * WIDTH), [64, WIDTH]),
    wpe: tensor2d(random(32 * WIDTH), [32, WIDTH]),
    blocks,
    lnF: norm(),
  });
  const model = new GPT2ForSequenceClassification(backbone, tensor2d(random(LABELS * WIDTH), [LABELS, WIDTH]));
  return getPeftModel(
    model,
    loraConfig({
      r: 4,
      loraAlpha: 8,
      loraDropout: dropout,
      targetModules: ['c_attn', 'c_proj'],
      taskType: 'SEQ_CLS',
      ...lora,
    }),
  );
}

/** Rows whose label is told by which of three tokens occurs in them. */
export function tinyRows(count: number, seed = 0): Dataset<PreparedRow> {
  const random = new SeededRandom([seed, 17]);
  return Dataset.fromRows(
    Array.from({ length: count }, (_, i): PreparedRow => {
      const label = i % LABELS;
      const length = 3 + (random.permutation(8)[0] ?? 0);
      const ids = Array.from(random.permutation(40).slice(0, length), (id) => id + 10);
      ids[random.permutation(length)[0] ?? 0] = label;
      return { input_ids: ids, attention_mask: ids.map(() => 1), label };
    }),
  );
}

export function collator(): DataCollatorWithPadding {
  return new DataCollatorWithPadding({ padTokenId: PAD });
}
