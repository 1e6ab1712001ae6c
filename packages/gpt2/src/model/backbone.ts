import { add, type Tensor2D, type Variable } from '@tensorflow/tfjs-core';
import {
  activation,
  attention,
  checkpoint,
  Dropout,
  dropoutAdd,
  embedding,
  LayerNorm,
  type LinearLayer,
  Module,
  Parameter,
  type ForwardContext,
} from '@qlora-js/kernels';
import type { TokenBatch } from '../batch/token-batch';
import type { Gpt2Config } from '../config/config';

/** The parts a backbone is put together from; each linear is dense or 4-bit. */
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
    layerIndex: number,
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

  /** residual + dropout(c_proj(attention(c_attn(x)))) */
  forward(x: Tensor2D, residual: Tensor2D, batch: TokenBatch, context: ForwardContext): Tensor2D {
    const qkv = linear(this, 'c_attn').forward(x, context);
    const dropout = this.attnDropout.options(context);
    const attended = attention(qkv, batch.sequences, {
      heads: this.config.nHead,
      scale: this.scale,
      // One stride for every batch, so that a mask does not depend on how long the batch is.
      keyStride: Math.ceil(this.config.nPositions / 4) * 4,
      ...(dropout === undefined ? {} : { dropout }),
    });
    return addDropped(linear(this, 'c_proj').forward(attended, context), residual, this.residDropout, context);
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
    const inner = activation(linear(this, 'c_fc').forward(x, context), this.config.activationFunction);
    return addDropped(linear(this, 'c_proj').forward(inner, context), residual, this.dropout, context);
  }
}

class Block extends Module {
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

  forward(x: Tensor2D, batch: TokenBatch, context: ForwardContext): Tensor2D {
    const attended = this.attn.forward(this.ln1.forward(x), x, batch, context);
    return this.mlp.forward(this.ln2.forward(attended), attended, context);
  }
}

export interface BackboneWeights {
  /** [vocabSize, nEmbd] */
  readonly wte: Tensor2D;
  /** [nPositions, nEmbd] */
  readonly wpe: Tensor2D;
  readonly blocks: readonly BlockLayers[];
  readonly lnF: LayerNorm;
}

/** The GPT-2 decoder without a head: token and position embeddings, blocks, final layer norm (Radford et al. 2019). */
export class GPT2Model extends Module {
  readonly wte: Parameter;
  readonly wpe: Parameter;
  /** Keep only each block's input and compute the rest again on the way back. */
  gradientCheckpointing = false;
  private readonly drop: Dropout;
  private readonly blocks: Block[];
  private readonly lnF: LayerNorm;

  constructor(
    readonly config: Gpt2Config,
    weights: BackboneWeights,
  ) {
    super();
    this.wte = new Parameter(weights.wte);
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
    let x = this.embed(batch, context);
    for (const block of this.blocks) {
      if (this.gradientCheckpointing && context.training) {
        const variables: Variable[] = [];
        for (const [, parameter] of block.namedParameters())
          if (parameter.requiresGrad) variables.push(parameter.variable);
        x = checkpoint((input) => block.forward(input as Tensor2D, batch, context), x, variables) as Tensor2D;
      } else {
        x = block.forward(x, batch, context);
      }
    }
    return this.lnF.forward(x);
  }

  /** As transformers' output_hidden_states: the embeddings, each block's output, the last one after the final norm. */
  hiddenStates(batch: TokenBatch, context: ForwardContext): Tensor2D[] {
    const states = [this.embed(batch, context)];
    for (const [index, block] of this.blocks.entries()) {
      const x = block.forward(states[index]!, batch, context);
      states.push(index === this.blocks.length - 1 ? this.lnF.forward(x) : x);
    }
    return states;
  }

  private embed(batch: TokenBatch, context: ForwardContext): Tensor2D {
    const { ids, positions } = batch;
    return this.drop.forward(
      embedding(ids, positions, this.wte.value as Tensor2D, this.wpe.value as Tensor2D),
      context,
    );
  }
}

/** An embedding table in the tree, so that its weight carries PyTorch's name. */
class Table extends Module {
  constructor(weight: Parameter) {
    super();
    this.setParameter('weight', weight);
  }
}

class ModuleList extends Module {}

/** Looked up at each call, because LoRA puts another layer in its place. */
function linear(parent: Module, name: string): LinearLayer {
  return parent.child(name) as LinearLayer;
}

function addDropped(x: Tensor2D, residual: Tensor2D, dropout: Dropout, context: ForwardContext): Tensor2D {
  const options = dropout.options(context);
  return options === undefined ? add(residual, x) : dropoutAdd(x, residual, options);
}
