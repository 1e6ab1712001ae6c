import { tensor1d, tensor2d } from '@tensorflow/tfjs-core';
import { GPT2ForSequenceClassification, GPT2Model, parseGpt2Config, type BlockLayers } from '@qlora-js/gpt2';
import { LayerNorm } from '@qlora-js/kernels';
import { getPeftModel, loraConfig, type PeftModel } from '@qlora-js/lora';
import type { Linear4bit } from '@qlora-js/quant';
import { filled, halfTable, linearLayers, normal, tableValues } from './random-weights';

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
  const layer = linearLayers();
  const linear = (inputs: number, outputs: number): Linear4bit => layer(inputs, outputs, tensor1d(normal(outputs)));
  const layerNorm = () => new LayerNorm(filled(width, 1), filled(width, 0), 1e-5);
  const blocks = Array.from({ length: layers }, (): BlockLayers => ({
    ln1: layerNorm(),
    cAttn: linear(width, 3 * width),
    attnProjection: linear(width, width),
    ln2: layerNorm(),
    cFc: linear(width, 4 * width),
    mlpProjection: linear(4 * width, width),
  }));
  const wte = halfTable(vocabulary, width);
  const wpe = tensor2d(tableValues(1024, width), [1024, width]);
  const backbone = new GPT2Model(config, { wte, wpe, blocks, lnF: layerNorm() });
  const model = new GPT2ForSequenceClassification(backbone, tensor2d(normal(LABELS * width), [LABELS, width]));
  return getPeftModel(
    model,
    loraConfig({ r: 16, loraAlpha: 32, loraDropout: 0.1, targetModules: ['c_attn', 'c_proj'], taskType: 'SEQ_CLS' }),
  );
}
