import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import {
  Dropout,
  gatherRows,
  type LayerNorm,
  type LinearAdditions,
  type LinearLayer,
  Module,
  type ForwardContext,
} from '@qlora-js/kernels';
import type { Gpt2Config } from '../config/config';
import { afterRows, type BlockRows, type DecoderBlock } from './decoder';

/** The parts a block is put together from; each linear is dense or 4-bit. */
export interface BlockLayers {
  readonly ln1: LayerNorm;
  readonly cAttn: LinearLayer;
  readonly attnProjection: LinearLayer;
  readonly ln2: LayerNorm;
  readonly cFc: LinearLayer;
  readonly mlpProjection: LinearLayer;
}

class Attention extends Module {
  private readonly attnDropout: Dropout;
  private readonly residDropout: Dropout;
  private readonly scale: number;

  constructor(
    private readonly config: Gpt2Config,
    private readonly layerIndex: number,
    cAttn: LinearLayer,
    cProj: LinearLayer,
  ) {
    super();
    this.setChild('c_attn', cAttn);
    this.setChild('c_proj', cProj);
    this.attnDropout = new Dropout(config.attnPdrop);
    this.residDropout = new Dropout(config.residPdrop);
    this.setChild('attn_dropout', this.attnDropout);
    this.setChild('resid_dropout', this.residDropout);
    const headDim = config.nEmbd / config.nHead;
    this.scale =
      (config.scaleAttnWeights ? 1 / Math.sqrt(headDim) : 1) / (config.scaleAttnByInverseLayerIdx ? layerIndex + 1 : 1);
  }

  /** residual + dropout(c_proj(attention(c_attn(x)))), of all rows or of those named */
  forward(x: Tensor2D, residual: Tensor2D, { attend, rows }: BlockRows, context: ForwardContext): Tensor2D {
    const qkv = linear(this, 'c_attn').forward(x, context);
    const dropout = this.attnDropout.options(context);
    const options = {
      heads: this.config.nHead,
      scale: this.scale,
      // One stride for every batch, so that a mask does not depend on how long the batch is.
      keyStride: Math.ceil(this.config.nPositions / 8) * 8,
      ...(dropout === undefined ? {} : { dropout }),
    };
    const attended = gathered(attend(qkv, options, this.layerIndex), rows);
    const after = afterRows(context, rows);
    const additions = residualAfter(this.residDropout, gathered(residual, rows), after);
    return linear(this, 'c_proj').forwardWith(attended, after, additions);
  }
}

class Mlp extends Module {
  private readonly dropout: Dropout;

  constructor(
    private readonly config: Gpt2Config,
    cFc: LinearLayer,
    cProj: LinearLayer,
  ) {
    super();
    this.setChild('c_fc', cFc);
    this.setChild('c_proj', cProj);
    this.dropout = new Dropout(config.residPdrop);
    this.setChild('dropout', this.dropout);
  }

  /** residual + dropout(c_proj(act(c_fc(x)))) */
  forward(x: Tensor2D, residual: Tensor2D, context: ForwardContext): Tensor2D {
    const inner = linear(this, 'c_fc').forward(x, context);
    return linear(this, 'c_proj').forwardWith(inner, context, {
      activation: this.config.activationFunction,
      ...residualAfter(this.dropout, residual, context),
    });
  }
}

/** One decoder block with the norms before its halves (Radford et al. 2019, section 2.3). */
export class Block extends Module implements DecoderBlock {
  private readonly ln1: LayerNorm;
  private readonly attn: Attention;
  private readonly ln2: LayerNorm;
  private readonly mlp: Mlp;

  constructor(config: Gpt2Config, layerIndex: number, layers: BlockLayers) {
    super();
    this.ln1 = layers.ln1;
    this.attn = new Attention(config, layerIndex, layers.cAttn, layers.attnProjection);
    this.ln2 = layers.ln2;
    this.mlp = new Mlp(config, layers.cFc, layers.mlpProjection);
    this.setChild('ln_1', this.ln1);
    this.setChild('attn', this.attn);
    this.setChild('ln_2', this.ln2);
    this.setChild('mlp', this.mlp);
  }

  /** x [rows, nEmbd] -> the same, or [rows named, nEmbd] */
  forward(x: Tensor2D, how: BlockRows, context: ForwardContext): Tensor2D {
    const attended = this.attn.forward(...this.ln1.branch(x), how, context);
    return this.mlp.forward(...this.ln2.branch(attended), afterRows(context, how.rows));
  }
}

/** Looked up at each call, because LoRA puts another layer in its place. */
function linear(parent: Module, name: string): LinearLayer {
  return parent.child(name) as LinearLayer;
}

function gathered(x: Tensor2D, rows: Tensor1D | undefined): Tensor2D {
  return rows === undefined ? x : gatherRows(x, rows);
}

/** Addition of `residual` to a layer's result, which is dropped out before. */
function residualAfter(dropout: Dropout, residual: Tensor2D, context: ForwardContext): LinearAdditions {
  const options = dropout.options(context);
  return { residual: { tensor: residual, ...(options === undefined ? {} : { dropout: options }) } };
}
