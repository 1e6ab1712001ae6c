/** `model_type` of the families this package reads. */
export const MODEL_TYPES = ['llama', 'mistral', 'qwen2', 'qwen3'] as const;

export type ModelType = (typeof MODEL_TYPES)[number];

/** Where a family differs from Llama, and transformers' defaults of it (models/FAMILY/configuration_FAMILY.py). */
export interface Family {
  /** Biases of q, k and v: as `attention_bias` says, always, or never. */
  readonly queryBias: 'attention_bias' | boolean;
  /** Bias of o. */
  readonly outputBias: 'attention_bias' | boolean;
  /** Whether the MLP may have biases (`mlp_bias`). */
  readonly mlpBias: boolean;
  /** Whether the heads of q and k are normalised before they are rotated. */
  readonly headNorms: boolean;
  /** Whether tokens see a window alone: always where one is named, only where `use_sliding_window` says so, or never. */
  readonly window: 'named' | 'used' | 'never';
  readonly defaults: {
    readonly vocabSize: number;
    readonly intermediateSize: number;
    /** Null for as many as there are heads of queries. */
    readonly keyValueHeads: number | null;
    /** Null for what the heads leave of the width. */
    readonly headDim: number | null;
    readonly maxPositionEmbeddings: number;
    readonly slidingWindow: number | null;
    readonly bosTokenId: number | null;
    readonly eosTokenId: number | null;
  };
}

export const FAMILIES: Readonly<Record<ModelType, Family>> = {
  llama: {
    queryBias: 'attention_bias',
    outputBias: 'attention_bias',
    mlpBias: true,
    headNorms: false,
    window: 'never',
    defaults: {
      vocabSize: 32_000,
      intermediateSize: 11_008,
      keyValueHeads: null,
      headDim: null,
      maxPositionEmbeddings: 2048,
      slidingWindow: null,
      bosTokenId: 1,
      eosTokenId: 2,
    },
  },
  mistral: {
    queryBias: false,
    outputBias: false,
    mlpBias: false,
    headNorms: false,
    window: 'named',
    defaults: {
      vocabSize: 32_000,
      intermediateSize: 14_336,
      keyValueHeads: 8,
      headDim: null,
      maxPositionEmbeddings: 131_072,
      slidingWindow: 4096,
      bosTokenId: 1,
      eosTokenId: 2,
    },
  },
  qwen2: {
    queryBias: true,
    outputBias: false,
    mlpBias: false,
    headNorms: false,
    window: 'used',
    defaults: {
      vocabSize: 151_936,
      intermediateSize: 22_016,
      keyValueHeads: 32,
      headDim: null,
      maxPositionEmbeddings: 32_768,
      slidingWindow: 4096,
      bosTokenId: null,
      eosTokenId: null,
    },
  },
  qwen3: {
    queryBias: 'attention_bias',
    outputBias: 'attention_bias',
    mlpBias: false,
    headNorms: true,
    window: 'used',
    defaults: {
      vocabSize: 151_936,
      intermediateSize: 22_016,
      keyValueHeads: 32,
      headDim: 128,
      maxPositionEmbeddings: 32_768,
      slidingWindow: 4096,
      bosTokenId: null,
      eosTokenId: null,
    },
  },
};
