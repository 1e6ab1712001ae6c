import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { GPT2ForSequenceClassification, GPT2Model, parseGpt2Config, type BlockLayers } from '@qlora-js/gpt2';
import { float32ToFloat16 } from '@qlora-js/hub';
import { HalfTable, LayerNorm, normalValues } from '@qlora-js/kernels';
import { getPeftModel, loraConfig, type PeftModel } from '@qlora-js/lora';
import { Linear4bit, quantizeArray, toDevice, type QuantizedArrays } from '@qlora-js/quant';

/** Labels of Banking77. */
export const LABELS = 77;

export interface ModelSize {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly vocabulary: number;
}

/** GPT-2 medium, which DialoGPT-medium is as well. */
export const GPT2_MEDIUM: ModelSize = { layers: 24, width: 1024, heads: 16, vocabulary: 50_257 };

let stream = 0;
const normal = (size: number): Float32Array => {
  const values = normalValues(size, { seed: 7, stream: stream++ });
  return Float32Array.from(values, (value) => 0.02 * value);
};

/**
 * A classifier of this size with random weights in NF4 under double quantisation and LoRA r 16 on c_attn and c_proj,
 * dropout 0.1 everywhere. Layers have the same codes, each in memory of its own.
 */
export function randomModel({ layers, width, heads, vocabulary }: ModelSize): PeftModel<GPT2ForSequenceClassification> {
  const config = parseGpt2Config({
    model_type: 'gpt2',
    n_layer: layers,
    n_embd: width,
    n_head: heads,
    vocab_size: vocabulary,
    pad_token_id: 50256,
  });
  const quantised = new Map<string, QuantizedArrays>();
  const linear = (inputs: number, outputs: number): Linear4bit => {
    const key = `${inputs} ${outputs}`;
    let arrays = quantised.get(key);
    if (arrays === undefined) {
      arrays = quantizeArray(normal(inputs * outputs), [outputs, inputs], { doubleQuant: true });
      quantised.set(key, arrays);
    }
    return new Linear4bit(toDevice(arrays), tensor1d(normal(outputs)));
  };
  const layerNorm = () =>
    new LayerNorm(tensor1d(new Float32Array(width).fill(1)), tensor1d(new Float32Array(width)), 1e-5);
  const blocks = Array.from({ length: layers }, (): BlockLayers => ({
    ln1: layerNorm(),
    cAttn: linear(width, 3 * width),
    attnProjection: linear(width, width),
    ln2: layerNorm(),
    cFc: linear(width, 4 * width),
    mlpProjection: linear(4 * width, width),
  }));
  const tableValues = (rows: number): Float32Array => {
    const row = normal(64 * width);
    const values = new Float32Array(rows * width);
    for (let i = 0; i < values.length; i++) values[i] = row[(i * 31) % row.length]!;
    return values;
  };
  const wte = new HalfTable(float32ToFloat16(tableValues(vocabulary)), [vocabulary, width]);
  const wpe = tensor2d(tableValues(1024), [1024, width]);
  const backbone = new GPT2Model(config, { wte, wpe, blocks, lnF: layerNorm() });
  const model = new GPT2ForSequenceClassification(backbone, tensor2d(normal(LABELS * width), [LABELS, width]));
  return getPeftModel(
    model,
    loraConfig({ r: 16, loraAlpha: 32, loraDropout: 0.1, targetModules: ['c_attn', 'c_proj'], taskType: 'SEQ_CLS' }),
  );
}
