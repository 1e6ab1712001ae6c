import { activationNames, isActivationName, type ActivationName } from '@qlora-js/kernels';
import { gpt2Error } from '../errors';
import { ConfigFields } from './fields';

/** GPT-2's config.json in camelCase; defaults are transformers' (models/gpt2/configuration_gpt2.py). */
export interface Gpt2Config {
  readonly vocabSize: number;
  readonly nPositions: number;
  readonly nEmbd: number;
  readonly nLayer: number;
  readonly nHead: number;
  /** Width of the MLP; 4 * nEmbd where config.json has null. */
  readonly nInner: number;
  readonly activationFunction: ActivationName;
  readonly residPdrop: number;
  readonly embdPdrop: number;
  readonly attnPdrop: number;
  readonly layerNormEpsilon: number;
  readonly initializerRange: number;
  readonly scaleAttnWeights: boolean;
  readonly scaleAttnByInverseLayerIdx: boolean;
  readonly reorderAndUpcastAttn: boolean;
  readonly tieWordEmbeddings: boolean;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | null;
  readonly padTokenId: number | null;
  /** Labels by id, where config.json names them. */
  readonly id2label: readonly string[] | null;
}

/** Reads a parsed config.json. Unknown keys are left alone; a key of the wrong type is a BAD_CONFIG that names it. */
export function parseGpt2Config(json: unknown, place = 'config.json'): Gpt2Config {
  const fields = new ConfigFields(json, place, gpt2Error);
  const modelType = fields.raw('model_type');
  if (modelType !== undefined && modelType !== 'gpt2') {
    throw fields.error(`model_type is ${JSON.stringify(modelType)}, but this loader reads 'gpt2'`, modelType);
  }
  if (fields.flag('add_cross_attention', false)) throw fields.wrong('add_cross_attention', 'false (decoders only)');
  const nEmbd = fields.integer('n_embd', 768);
  const nHead = fields.integer('n_head', 12);
  if (nEmbd % nHead !== 0) throw fields.error(`n_embd ${nEmbd} is not a multiple of n_head ${nHead}`, nEmbd);
  return {
    vocabSize: fields.integer('vocab_size', 50257),
    nPositions: fields.integer('n_positions', 1024),
    nEmbd,
    nLayer: fields.integer('n_layer', 12),
    nHead,
    nInner: fields.integer('n_inner', 4 * nEmbd),
    activationFunction: fields.read(
      'activation_function',
      'gelu_new',
      (value): value is ActivationName => typeof value === 'string' && isActivationName(value),
      `one of ${activationNames.join(', ')}`,
    ),
    residPdrop: fields.fraction('resid_pdrop', 0.1),
    embdPdrop: fields.fraction('embd_pdrop', 0.1),
    attnPdrop: fields.fraction('attn_pdrop', 0.1),
    layerNormEpsilon: fields.fraction('layer_norm_epsilon', 1e-5),
    initializerRange: fields.fraction('initializer_range', 0.02),
    scaleAttnWeights: fields.flag('scale_attn_weights', true),
    scaleAttnByInverseLayerIdx: fields.flag('scale_attn_by_inverse_layer_idx', false),
    reorderAndUpcastAttn: fields.flag('reorder_and_upcast_attn', false),
    tieWordEmbeddings: fields.flag('tie_word_embeddings', true),
    bosTokenId: fields.tokenId('bos_token_id', 50256),
    eosTokenId: fields.tokenId('eos_token_id', 50256),
    padTokenId: fields.tokenId('pad_token_id', null),
    id2label: parseLabels(fields),
  };
}

function parseLabels(fields: ConfigFields): string[] | null {
  const value = fields.raw('id2label') ?? null;
  if (value === null) return null;
  if (typeof value !== 'object') throw fields.wrong('id2label', 'names by id');
  const labels: string[] = [];
  for (const [id, label] of Object.entries(value)) {
    if (!/^\d{1,6}$/.test(id) || typeof label !== 'string') {
      throw fields.error(`id2label has the entry ${JSON.stringify(id)}: ${JSON.stringify(label)}`, label);
    }
    labels[Number(id)] = label;
  }
  if (labels.length !== Object.keys(value).length) throw fields.error('id2label has gaps', value);
  return labels;
}
