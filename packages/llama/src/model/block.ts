import { reshape, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { afterRows, type BlockInput, type DecoderBlock } from '@qlora-js/gpt2';
import {
  Dropout,
  gatherRows,
  type LinearLayer,
  Module,
  type RMSNorm,
  rotaryQkv,
  swiglu,
  type ForwardContext,
} from '@qlora-js/kernels';
import type { LlamaConfig } from '../config/config';

/** The parts a block is put together from; each linear is dense or 4-bit. */
export interface BlockLayers {
  readonly inputNorm: RMSNorm;
  readonly q: LinearLayer;
  readonly k: LinearLayer;
  readonly v: LinearLayer;
  readonly o: LinearLayer;
  /** Norms of the heads of q and k, where the family has them. */
  readonly headNorms?: { readonly q: RMSNorm; readonly k: RMSNorm };
  readonly postAttentionNorm: RMSNorm;
  readonly gate: LinearLayer;
  readonly up: LinearLayer;
  readonly down: LinearLayer;
}

class Attention extends Module {
  private readonly dropout: Dropout;
  private readonly headNorms: BlockLayers['headNorms'];

  constructor(
    private readonly config: LlamaConfig,
    private readonly layerIndex: number,
    /** Cosines and sines by position; the backbone's. */
    private readonly table: () => Tensor2D,
    { q, k, v, o, headNorms }: BlockLayers,
  ) {
    super();
    this.setChild('q_proj', q);
    this.setChild('k_proj', k);
    this.setChild('v_proj', v);
    this.setChild('o_proj', o);
    this.headNorms = headNorms;
    if (headNorms !== undefined) {
      this.setChild('q_norm', headNorms.q);
      this.setChild('k_norm', headNorms.k);
    }
    this.dropout = new Dropout(config.attentionDropout);
    this.setChild('attn_dropout', this.dropout);
  }

  /** residual + o(attention(rotated q, k, v of x)), of all rows or of those named */
  forward(x: Tensor2D, residual: Tensor2D, { attend, positions, rows }: BlockInput, context: ForwardContext): Tensor2D {
    const { numAttentionHeads: heads, numKeyValueHeads: keyValueHeads, headDim, nPositions } = this.config;
    const q = normalisedHeads(linear(this, 'q_proj').forward(x, context), this.headNorms?.q, headDim);
    const k = normalisedHeads(linear(this, 'k_proj').forward(x, context), this.headNorms?.k, headDim);
    const v = linear(this, 'v_proj').forward(x, context);
    const qkv = rotaryQkv(q, k, v, { heads, keyValueHeads, positions, table: this.table() });
    const dropout = this.dropout.options(context);
    const options = {
      heads,
      keyValueHeads,
      scale: headDim ** -0.5,
      // One stride for every batch, so that a mask does not depend on how long the batch is.
      keyStride: Math.ceil(nPositions / 8) * 8,
      ...(dropout === undefined ? {} : { dropout }),
    };
    const attended = gathered(attend(qkv, options, this.layerIndex), rows);
    return linear(this, 'o_proj').forwardWith(attended, afterRows(context, rows), {
      residual: { tensor: gathered(residual, rows) },
    });
  }
}

class Mlp extends Module {
  constructor({ gate, up, down }: BlockLayers) {
    super();
    this.setChild('gate_proj', gate);
    this.setChild('up_proj', up);
    this.setChild('down_proj', down);
  }

  /** residual + down(silu(gate(x)) * up(x)) */
  forward(x: Tensor2D, residual: Tensor2D, context: ForwardContext): Tensor2D {
    const inner = swiglu(linear(this, 'gate_proj').forward(x, context), linear(this, 'up_proj').forward(x, context));
    return linear(this, 'down_proj').forwardWith(inner, context, { residual: { tensor: residual } });
  }
}

/** One decoder block with the norms before its halves (Touvron et al. 2023, section 2.2). */
export class LlamaBlock extends Module implements DecoderBlock {
  private readonly inputNorm: RMSNorm;
  private readonly attention: Attention;
  private readonly postAttentionNorm: RMSNorm;
  private readonly mlp: Mlp;

  constructor(config: LlamaConfig, layerIndex: number, table: () => Tensor2D, layers: BlockLayers) {
    super();
    this.attention = new Attention(config, layerIndex, table, layers);
    this.mlp = new Mlp(layers);
    this.inputNorm = layers.inputNorm;
    this.postAttentionNorm = layers.postAttentionNorm;
    this.setChild('self_attn', this.attention);
    this.setChild('mlp', this.mlp);
    this.setChild('input_layernorm', this.inputNorm);
    this.setChild('post_attention_layernorm', this.postAttentionNorm);
  }

  /** x [rows, hiddenSize] -> the same, or [rows named, hiddenSize] */
  forward(x: Tensor2D, how: BlockInput, context: ForwardContext): Tensor2D {
    const attended = this.attention.forward(...this.inputNorm.branch(x), how, context);
    return this.mlp.forward(...this.postAttentionNorm.branch(attended), afterRows(context, how.rows));
  }
}

/** Looked up at each call, because LoRA puts another layer in its place. */
function linear(parent: Module, name: string): LinearLayer {
  return parent.child(name) as LinearLayer;
}

/** x [rows, heads * headDim] with each head normalised by itself. */
function normalisedHeads(x: Tensor2D, norm: RMSNorm | undefined, headDim: number): Tensor2D {
  return norm === undefined ? x : reshape(norm.forward(reshape(x, [-1, headDim])), x.shape);
}

function gathered(x: Tensor2D, rows: Tensor1D | undefined): Tensor2D {
  return rows === undefined ? x : gatherRows(x, rows);
}
