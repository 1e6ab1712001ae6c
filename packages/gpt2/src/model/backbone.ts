import type { Tensor2D } from '@tensorflow/tfjs-core';
import { Dropout, embedding, HalfTable, type LayerNorm, Parameter, type ForwardContext } from '@qlora-js/kernels';
import type { Gpt2Config } from '../config/config';
import type { TokenRows } from './attend';
import { Block, type BlockLayers } from './block';
import { Decoder, ModuleList, Table } from './decoder';

export interface BackboneWeights {
  /** [vocabSize, nEmbd] */
  readonly wte: Tensor2D | HalfTable;
  /** [nPositions, nEmbd] */
  readonly wpe: Tensor2D;
  readonly blocks: readonly BlockLayers[];
  readonly lnF: LayerNorm;
}

/** The GPT-2 decoder without a head: token and position embeddings, blocks, final layer norm (Radford et al. 2019). */
export class GPT2Model extends Decoder {
  readonly wte: Parameter;
  readonly wpe: Parameter;
  protected readonly blocks: readonly Block[];
  private readonly drop: Dropout;
  private readonly lnF: LayerNorm;

  constructor(
    readonly config: Gpt2Config,
    weights: BackboneWeights,
  ) {
    super();
    this.wte = weights.wte instanceof HalfTable ? weights.wte : new Parameter(weights.wte);
    this.wpe = new Parameter(weights.wpe);
    this.setChild('wte', new Table(this.wte));
    this.setChild('wpe', new Table(this.wpe));
    this.drop = new Dropout(config.embdPdrop);
    this.setChild('drop', this.drop);
    this.blocks = weights.blocks.map((layers, index) => new Block(config, index, layers));
    this.setChild('h', new ModuleList(this.blocks));
    this.lnF = weights.lnF;
    this.setChild('ln_f', this.lnF);
  }

  get tokenTable(): Parameter {
    return this.wte;
  }

  get endTokenIds(): readonly number[] {
    const { eosTokenId } = this.config;
    return eosTokenId === null ? [] : [eosTokenId];
  }

  override get embeddingSize(): number {
    return this.wte.logicalSize + this.wpe.logicalSize;
  }

  protected embed({ ids, positions }: TokenRows, context: ForwardContext): Tensor2D {
    const { wte, wpe } = this;
    return this.drop.forward(embedding(ids, positions, wte.value as Tensor2D, wpe.value as Tensor2D), context);
  }

  protected finish(x: Tensor2D): Tensor2D {
    return this.lnF.forward(x);
  }
}
