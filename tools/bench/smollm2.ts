import { tensor2d } from '@tensorflow/tfjs-core';
import { RMSNorm } from '@qlora-js/kernels';
import { LlamaForSequenceClassification, LlamaModel, parseLlamaConfig, type BlockLayers } from '@qlora-js/llama';
import { getPeftModel, loraConfig, type PeftModel } from '@qlora-js/lora';
import { LABELS } from './gpt2-medium';
import { filled, halfTable, linearLayers, normal } from './random-weights';

/** config.json of SmolLM2-135M-Instruct, as far as it shapes the model. */
export const SMOLLM2_135M = {
  model_type: 'llama',
  vocab_size: 49_152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 8192,
  rope_theta: 100_000,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 2,
};

/**
 * A classifier of this shape with random weights in NF4 under double quantisation and LoRA r 16, dropout 0.1 on all linear
 * layers. Layers have the same codes, each in memory of its own.
 */
export function randomSmolLm2(changes: Partial<typeof SMOLLM2_135M> = {}): PeftModel<LlamaForSequenceClassification> {
  const config = parseLlamaConfig({ ...SMOLLM2_135M, ...changes });
  const { hiddenSize: width, intermediateSize: inner, headDim, vocabSize } = config;
  const linear = linearLayers();
  const norm = (): RMSNorm => new RMSNorm(filled(width, 1), config.rmsNormEps);
  const [queries, keys] = [config.numAttentionHeads * headDim, config.numKeyValueHeads * headDim];
  const blocks = Array.from({ length: config.numHiddenLayers }, (): BlockLayers => ({
    inputNorm: norm(),
    q: linear(width, queries),
    k: linear(width, keys),
    v: linear(width, keys),
    o: linear(queries, width),
    postAttentionNorm: norm(),
    gate: linear(width, inner),
    up: linear(width, inner),
    down: linear(inner, width),
  }));
  const embedTokens = halfTable(vocabSize, width);
  const backbone = new LlamaModel(config, { embedTokens, blocks, norm: norm() });
  const model = new LlamaForSequenceClassification(backbone, tensor2d(normal(LABELS * width), [LABELS, width]));
  const lora = { r: 16, loraAlpha: 32, loraDropout: 0.1, targetModules: 'all-linear', taskType: 'SEQ_CLS' } as const;
  return getPeftModel(model, loraConfig(lora));
}
