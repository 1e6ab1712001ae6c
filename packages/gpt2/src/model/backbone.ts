import { tidy, type Tensor2D, type Variable } from '@tensorflow/tfjs-core';
import {
  checkpoint,
  Dropout,
  embedding,
  HalfTable,
  type LayerNorm,
  Module,
  Parameter,
  saveActivationsInFloat16,
  type ForwardContext,
} from '@qlora-js/kernels';
import type { TokenBatch } from '../batch/token-batch';
import type { Gpt2Config } from '../config/config';
import { attendWithin, type TokenRows } from './attend';
import { Block, type BlockLayers, type BlockRows } from './block';

export interface BackboneWeights {
  /** [vocabSize, nEmbd] */
  readonly wte: Tensor2D | HalfTable;
  /** [nPositions, nEmbd] */
  readonly wpe: Tensor2D;
  readonly blocks: readonly BlockLayers[];
  readonly lnF: LayerNorm;
}

export type ActivationDtype = 'float32' | 'float16';

/** The GPT-2 decoder without a head: token and position embeddings, blocks, final layer norm (Radford et al. 2019). */
export class GPT2Model extends Module {
  readonly wte: Parameter;
  readonly wpe: Parameter;
  /** Keep only each block's input and compute the rest again on the way back. */
  gradientCheckpointing = false;
  /** What activations wait in for the backward pass; see `saveActivationsInFloat16`. */
  activationDtype: ActivationDtype = 'float32';
  private readonly drop: Dropout;
  private readonly blocks: Block[];
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
    const list = new ModuleList();
    this.blocks = weights.blocks.map((layers, index) => {
      const block = new Block(config, index, layers);
      list.setChild(String(index), block);
      return block;
    });
    this.setChild('h', list);
    this.lnF = weights.lnF;
    this.setChild('ln_f', this.lnF);
  }

  /** Hidden states after the final layer norm, [rows, nEmbd]. */
  forward(batch: TokenBatch, context: ForwardContext): Tensor2D {
    return this.forwardRows(batch, { attend: attendWithin(batch.sequences) }, context);
  }

  /**
   * Hidden states after the final layer norm of the rows that a classifier pools, [batchSize, nEmbd]: after its
   * attention the last block computes those alone.
   */
  forwardPooled(batch: TokenBatch, context: ForwardContext): Tensor2D {
    return this.forwardRows(batch, { attend: attendWithin(batch.sequences), rows: batch.pooledRows }, context);
  }

  /** Rows that attend in a way of the caller's, such as to cached keys; all of the last block's, or those named. */
  forwardRows(tokens: TokenRows, how: BlockRows, context: ForwardContext): Tensor2D {
    const forward = (): Tensor2D => this.throughBlocks(tokens, how, context);
    return this.activationDtype === 'float16' && context.training ? saveActivationsInFloat16(forward) : forward();
  }

  private throughBlocks(tokens: TokenRows, { attend, rows }: BlockRows, context: ForwardContext): Tensor2D {
    let x = this.embed(tokens, context);
    for (const [index, block] of this.blocks.entries()) {
      const how = index === this.blocks.length - 1 ? { attend, rows } : { attend };
      x = context.training ? this.trainThrough(block, x, how, context) : block.forward(x, how, context);
    }
    return this.lnF.forward(x);
  }

  /** Frees at once what the tape doesn't keep: around a forward pass tfjs would wait for its end. */
  private trainThrough(block: Block, x: Tensor2D, how: BlockRows, context: ForwardContext): Tensor2D {
    const y = tidy(() =>
      this.gradientCheckpointing ? forwardCheckpointed(block, x, how, context) : block.forward(x, how, context),
    );
    x.dispose();
    return y;
  }

  /** As transformers' output_hidden_states: the embeddings, each block's output, the last one after the final norm. */
  hiddenStates(batch: TokenBatch, context: ForwardContext): Tensor2D[] {
    const attend = attendWithin(batch.sequences);
    const states = [this.embed(batch, context)];
    for (const [index, block] of this.blocks.entries()) {
      const x = block.forward(states[index]!, { attend }, context);
      states.push(index === this.blocks.length - 1 ? this.lnF.forward(x) : x);
    }
    return states;
  }

  private embed({ ids, positions }: TokenRows, context: ForwardContext): Tensor2D {
    const { wte, wpe } = this;
    return this.drop.forward(embedding(ids, positions, wte.value as Tensor2D, wpe.value as Tensor2D), context);
  }
}

function forwardCheckpointed(block: Block, x: Tensor2D, how: BlockRows, context: ForwardContext): Tensor2D {
  const variables: Variable[] = [];
  for (const [, parameter] of block.namedParameters()) if (parameter.requiresGrad) variables.push(parameter.variable);
  return checkpoint((input) => block.forward(input as Tensor2D, how, context), x, variables) as Tensor2D;
}

/** An embedding table in the tree, so that its weight carries PyTorch's name. */
class Table extends Module {
  constructor(weight: Parameter) {
    super();
    this.setParameter('weight', weight);
  }
}

class ModuleList extends Module {}
