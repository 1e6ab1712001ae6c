import { FAMILIES, MODEL_TYPES, type ModelType } from './families';
import { LlamaFields } from './fields';
import { parseRope, type RopeParameters } from './rope';

/** config.json of Llama and its kin in camelCase; defaults are transformers' (models/FAMILY/configuration_FAMILY.py). */
export interface LlamaConfig {
  readonly modelType: ModelType;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly maxPositionEmbeddings: number;
  /** Tokens a token sees at most, itself included; null for all before it. */
  readonly slidingWindow: number | null;
  /**
   * Longest sequence: `maxPositionEmbeddings`, or the sliding window where that is shorter. Attention here has no window,
   * and within it both are the same.
   */
  readonly nPositions: number;
  readonly rope: RopeParameters;
  readonly rmsNormEps: number;
  /** Whether q, k and v have biases. */
  readonly queryBias: boolean;
  /** Whether o has one. */
  readonly outputBias: boolean;
  /** Whether gate, up and down have some. */
  readonly mlpBias: boolean;
  /** Whether heads of q and k are normalised (Qwen3). */
  readonly headNorms: boolean;
  readonly attentionDropout: number;
  readonly initializerRange: number;
  readonly tieWordEmbeddings: boolean;
  readonly bosTokenId: number | null;
  /** Tokens that end a text. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
}

/**
 * Reads a parsed config.json. Unknown keys are left alone; a key of the wrong type is an error that names it.
 * @throws LlamaError BAD_CONFIG; for a model_type, an activation or a rotary type that is not known it names the known ones
 */
export function parseLlamaConfig(json: unknown, place = 'config.json'): LlamaConfig {
  const fields = new LlamaFields(json, place);
  const modelType = MODEL_TYPES.find((known) => known === fields.raw('model_type'));
  if (modelType === undefined) throw fields.wrong('model_type', `one of ${MODEL_TYPES.join(', ')}`);
  const family = FAMILIES[modelType];
  const { defaults } = family;
  const activation = fields.text('hidden_act', 'silu');
  if (activation !== 'silu') throw fields.wrong('hidden_act', "'silu'");
  const hiddenSize = fields.integer('hidden_size', 4096);
  const numAttentionHeads = fields.integer('num_attention_heads', 32);
  const numKeyValueHeads = fields.integer('num_key_value_heads', defaults.keyValueHeads ?? numAttentionHeads);
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    throw fields.error(
      `num_attention_heads ${numAttentionHeads} is not a multiple of num_key_value_heads ${numKeyValueHeads}`,
      numKeyValueHeads,
    );
  }
  const headDim = fields.integer('head_dim', defaults.headDim ?? Math.floor(hiddenSize / numAttentionHeads));
  if (!fields.has('head_dim') && defaults.headDim === null && headDim * numAttentionHeads !== hiddenSize) {
    throw fields.error(
      `hidden_size ${hiddenSize} is not a multiple of num_attention_heads ${numAttentionHeads}, and there is no head_dim`,
      hiddenSize,
    );
  }
  if (headDim % 2 !== 0) throw fields.error(`heads of ${headDim} have no pairs of columns to rotate`, headDim);
  const maxPositionEmbeddings = fields.integer('max_position_embeddings', defaults.maxPositionEmbeddings);
  const slidingWindow = windowOf(fields, modelType);
  const bias = (named: 'attention_bias' | boolean): boolean =>
    typeof named === 'boolean' ? named : fields.flag('attention_bias', false);
  return {
    modelType,
    vocabSize: fields.integer('vocab_size', defaults.vocabSize),
    hiddenSize,
    intermediateSize: fields.integer('intermediate_size', defaults.intermediateSize),
    numHiddenLayers: fields.integer('num_hidden_layers', 32),
    numAttentionHeads,
    numKeyValueHeads,
    headDim,
    maxPositionEmbeddings,
    slidingWindow,
    nPositions: Math.min(maxPositionEmbeddings, slidingWindow ?? Infinity),
    rope: parseRope(fields),
    rmsNormEps: fields.fraction('rms_norm_eps', 1e-6),
    queryBias: bias(family.queryBias),
    outputBias: bias(family.outputBias),
    mlpBias: family.mlpBias && fields.flag('mlp_bias', false),
    headNorms: family.headNorms,
    attentionDropout: fields.fraction('attention_dropout', 0),
    initializerRange: fields.fraction('initializer_range', 0.02),
    tieWordEmbeddings: fields.flag('tie_word_embeddings', false),
    bosTokenId: fields.tokenId('bos_token_id', defaults.bosTokenId),
    eosTokenIds: fields.tokenIds('eos_token_id', defaults.eosTokenId),
    padTokenId: fields.tokenId('pad_token_id', null),
  };
}

function windowOf(fields: LlamaFields, modelType: ModelType): number | null {
  const { window, defaults } = FAMILIES[modelType];
  if (window === 'never' || (window === 'used' && !fields.flag('use_sliding_window', false))) return null;
  // Written as null it is none; left out it is the default.
  if (fields.raw('sliding_window') === null) return null;
  return defaults.slidingWindow === null ? null : fields.integer('sliding_window', defaults.slidingWindow);
}
