import { activationNames, isActivationName, type ActivationName } from '@qlora-js/kernels';
import { Gpt2Error } from '../errors';

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

/** Reads a parsed config.json. Unknown keys are left alone; a key of the wrong type is an error that names it. */
export function parseGpt2Config(json: unknown, place = 'config.json'): Gpt2Config {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Gpt2Error('BAD_CONFIG', `${place} is not a JSON object`);
  }
  const fields = new Map<string, unknown>(Object.entries(json));
  const modelType = fields.get('model_type');
  if (modelType !== undefined && modelType !== 'gpt2') {
    throw new Gpt2Error(
      'BAD_CONFIG',
      `${place}: model_type is ${JSON.stringify(modelType)}, but this loader reads 'gpt2'`,
    );
  }
  const wrong = (key: string, wanted: string): Gpt2Error =>
    new Gpt2Error('BAD_CONFIG', `${place}: ${key} is ${JSON.stringify(fields.get(key))}, but ${wanted} is needed`);
  const integer = (key: string, fallback: number): number => {
    const value = fields.get(key) ?? fallback;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) throw wrong(key, 'a positive integer');
    return value;
  };
  const fraction = (key: string, fallback: number): number => {
    const value = fields.get(key) ?? fallback;
    if (typeof value !== 'number' || !(value >= 0 && value < 1)) throw wrong(key, 'a number in [0, 1)');
    return value;
  };
  const flag = (key: string, fallback: boolean): boolean => {
    const value = fields.get(key) ?? fallback;
    if (typeof value !== 'boolean') throw wrong(key, 'true or false');
    return value;
  };
  const tokenId = (key: string, fallback: number | null): number | null => {
    const value = fields.get(key) ?? fallback;
    if (value !== null && (typeof value !== 'number' || !Number.isInteger(value) || value < 0)) {
      throw wrong(key, 'a token id or null');
    }
    return value;
  };
  const activation = fields.get('activation_function') ?? 'gelu_new';
  if (typeof activation !== 'string' || !isActivationName(activation)) {
    throw wrong('activation_function', `one of ${activationNames.join(', ')}`);
  }
  if (flag('add_cross_attention', false)) throw wrong('add_cross_attention', 'false (decoders only)');
  const nEmbd = integer('n_embd', 768);
  const nHead = integer('n_head', 12);
  if (nEmbd % nHead !== 0) {
    throw new Gpt2Error('BAD_CONFIG', `${place}: n_embd ${nEmbd} is not a multiple of n_head ${nHead}`);
  }
  return {
    vocabSize: integer('vocab_size', 50257),
    nPositions: integer('n_positions', 1024),
    nEmbd,
    nLayer: integer('n_layer', 12),
    nHead,
    nInner: fields.get('n_inner') == null ? 4 * nEmbd : integer('n_inner', 4 * nEmbd),
    activationFunction: activation,
    residPdrop: fraction('resid_pdrop', 0.1),
    embdPdrop: fraction('embd_pdrop', 0.1),
    attnPdrop: fraction('attn_pdrop', 0.1),
    layerNormEpsilon: fraction('layer_norm_epsilon', 1e-5),
    initializerRange: fraction('initializer_range', 0.02),
    scaleAttnWeights: flag('scale_attn_weights', true),
    scaleAttnByInverseLayerIdx: flag('scale_attn_by_inverse_layer_idx', false),
    reorderAndUpcastAttn: flag('reorder_and_upcast_attn', false),
    tieWordEmbeddings: flag('tie_word_embeddings', true),
    bosTokenId: tokenId('bos_token_id', 50256),
    eosTokenId: tokenId('eos_token_id', 50256),
    padTokenId: tokenId('pad_token_id', null),
    id2label: parseLabels(fields.get('id2label'), place),
  };
}

function parseLabels(value: unknown, place: string): string[] | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'object') {
    throw new Gpt2Error('BAD_CONFIG', `${place}: id2label is ${JSON.stringify(value)}, but names by id are needed`);
  }
  const labels: string[] = [];
  for (const [id, label] of Object.entries(value)) {
    if (!/^\d{1,6}$/.test(id) || typeof label !== 'string') {
      throw new Gpt2Error(
        'BAD_CONFIG',
        `${place}: id2label has the entry ${JSON.stringify(id)}: ${JSON.stringify(label)}`,
      );
    }
    labels[Number(id)] = label;
  }
  if (labels.length !== Object.keys(value).length) throw new Gpt2Error('BAD_CONFIG', `${place}: id2label has gaps`);
  return labels;
}
