import { tidy, type Tensor1D, type Tensor2D, type Variable } from '@tensorflow/tfjs-core';
import { checkpoint, Module, saveActivationsInFloat16, type ForwardContext, type Parameter } from '@qlora-js/kernels';
import type { TokenBatch } from '../batch/token-batch';
import { attendWithin, type Attend, type TokenRows } from './attend';

export type ActivationDtype = 'float32' | 'float16';

/** How the rows of a block attend, and which of them go on from there. */
export interface BlockRows {
  readonly attend: Attend;
  /** int32: rows that are computed after attention, where not all are needed. */
  readonly rows?: Tensor1D | undefined;
}

/** The context of what comes after a block's attention, where these rows alone go on. */
export function afterRows(context: ForwardContext, rows: Tensor1D | undefined): ForwardContext {
  return rows === undefined ? context : { ...context, random: context.randomAfter };
}

/** What a block of a decoder is given besides its rows. */
export interface BlockInput extends BlockRows {
  /** int32 [rows] */
  readonly positions: Tensor1D;
}

/** A block of a decoder. */
export interface DecoderBlock extends Module {
  /** x [rows, width] -> the same, or [rows named, width] */
  forward(x: Tensor2D, how: BlockInput, context: ForwardContext): Tensor2D;
}

/** What every decoder's config says. */
export interface DecoderConfig {
  /** Longest sequence. */
  readonly nPositions: number;
  readonly vocabSize: number;
}

/** A decoder without a head: embeddings, blocks, a norm at the end. */
export abstract class Decoder extends Module {
  /** Keep only each block's input and compute the rest again on the way back. */
  gradientCheckpointing = false;
  /** What activations wait in for the backward pass; see `saveActivationsInFloat16`. */
  activationDtype: ActivationDtype = 'float32';

  abstract readonly config: DecoderConfig;
  /** The token embedding [vocabSize, width], which a tied head multiplies by. */
  abstract readonly tokenTable: Parameter;
  /** Tokens that end a text. */
  abstract readonly endTokenIds: readonly number[];

  /** Weights of the embedding tables, which multiply nothing. */
  get embeddingSize(): number {
    return this.tokenTable.logicalSize;
  }

  protected abstract readonly blocks: readonly DecoderBlock[];
  /** Tokens to [rows, width]. */
  protected abstract embed(tokens: TokenRows, context: ForwardContext): Tensor2D;
  /** What comes after the last block. */
  protected abstract finish(x: Tensor2D): Tensor2D;

  /** Hidden states after the final norm, [rows, width]. */
  forward(batch: TokenBatch, context: ForwardContext): Tensor2D {
    return this.forwardRows(batch, { attend: attendWithin(batch.sequences) }, context);
  }

  /**
   * Hidden states after the final norm of the rows that a classifier pools, [batchSize, width]: after its attention the
   * last block computes those alone.
   */
  forwardPooled(batch: TokenBatch, context: ForwardContext): Tensor2D {
    return this.forwardRows(batch, { attend: attendWithin(batch.sequences), rows: batch.pooledRows }, context);
  }

  /** Rows that attend in a way of the caller's, such as to cached keys; all of the last block's, or those named. */
  forwardRows(tokens: TokenRows, how: BlockRows, context: ForwardContext): Tensor2D {
    const forward = (): Tensor2D => this.throughBlocks(tokens, how, context);
    return this.activationDtype === 'float16' && context.training ? saveActivationsInFloat16(forward) : forward();
  }

  /** As transformers' output_hidden_states: the embeddings, each block's output, the last one after the final norm. */
  hiddenStates(batch: TokenBatch, context: ForwardContext): Tensor2D[] {
    const how = { attend: attendWithin(batch.sequences), positions: batch.positions };
    const states = [this.embed(batch, context)];
    for (const [index, block] of this.blocks.entries()) {
      const x = block.forward(states[index]!, how, context);
      states.push(index === this.blocks.length - 1 ? this.finish(x) : x);
    }
    return states;
  }

  private throughBlocks(tokens: TokenRows, { attend, rows }: BlockRows, context: ForwardContext): Tensor2D {
    const { positions } = tokens;
    let x = this.embed(tokens, context);
    for (const [index, block] of this.blocks.entries()) {
      const how = index === this.blocks.length - 1 ? { attend, positions, rows } : { attend, positions };
      x = context.training ? this.trainThrough(block, x, how, context) : block.forward(x, how, context);
    }
    return this.finish(x);
  }

  /** Frees at once what the tape doesn't keep: around a forward pass tfjs would wait for its end. */
  private trainThrough(block: DecoderBlock, x: Tensor2D, how: BlockInput, context: ForwardContext): Tensor2D {
    const y = tidy(() =>
      this.gradientCheckpointing ? forwardCheckpointed(block, x, how, context) : block.forward(x, how, context),
    );
    x.dispose();
    return y;
  }
}

function forwardCheckpointed(block: DecoderBlock, x: Tensor2D, how: BlockInput, context: ForwardContext): Tensor2D {
  const variables: Variable[] = [];
  for (const [, parameter] of block.namedParameters()) if (parameter.requiresGrad) variables.push(parameter.variable);
  return checkpoint((input) => block.forward(input as Tensor2D, how, context), x, variables) as Tensor2D;
}

/** Children by number, as torch's ModuleList names them. */
export class ModuleList extends Module {
  constructor(children: readonly Module[]) {
    super();
    children.forEach((child, index) => this.setChild(String(index), child));
  }
}

/** An embedding table in the tree, so that its weight carries PyTorch's name. */
export class Table extends Module {
  constructor(weight: Parameter) {
    super();
    this.setParameter('weight', weight);
  }
}
