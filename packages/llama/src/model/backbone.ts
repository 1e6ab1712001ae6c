import { tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { Decoder, ModuleList, Table, type TokenRows } from '@qlora-js/gpt2';
import { HalfTable, Parameter, type RMSNorm, tokenEmbedding } from '@qlora-js/kernels';
import type { LlamaConfig } from '../config/config';
import { rotaryTable } from '../config/rope';
import { LlamaBlock, type BlockLayers } from './block';

export interface BackboneWeights {
  /** [vocabSize, hiddenSize] */
  readonly embedTokens: Tensor2D | HalfTable;
  readonly blocks: readonly BlockLayers[];
  readonly norm: RMSNorm;
}

/** Llama's decoder without a head: token embeddings, blocks, final norm (Touvron et al. 2023, section 2.2). */
export class LlamaModel extends Decoder {
  readonly embedTokens: Parameter;
  protected readonly blocks: readonly LlamaBlock[];
  private readonly norm: RMSNorm;
  private readonly angles: Tensor2D;

  constructor(
    readonly config: LlamaConfig,
    weights: BackboneWeights,
  ) {
    super();
    const { embedTokens } = weights;
    this.embedTokens = embedTokens instanceof HalfTable ? embedTokens : new Parameter(embedTokens);
    this.setChild('embed_tokens', new Table(this.embedTokens));
    const { rope, headDim, nPositions } = config;
    this.angles = tensor2d(rotaryTable(rope, headDim, nPositions), [nPositions, headDim]);
    this.blocks = weights.blocks.map((layers, index) => new LlamaBlock(config, index, () => this.angles, layers));
    this.setChild('layers', new ModuleList(this.blocks));
    this.norm = weights.norm;
    this.setChild('norm', this.norm);
  }

  get tokenTable(): Parameter {
    return this.embedTokens;
  }

  get endTokenIds(): readonly number[] {
    return this.config.eosTokenIds;
  }

  override dispose(): void {
    this.angles.dispose();
    super.dispose();
  }

  protected embed({ ids }: TokenRows): Tensor2D {
    return tokenEmbedding(ids, this.embedTokens.value as Tensor2D);
  }

  protected finish(x: Tensor2D): Tensor2D {
    return this.norm.forward(x);
  }
}
