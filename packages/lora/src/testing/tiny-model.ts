import { add, tensor1d, tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { INFERENCE, Linear, type LinearLayer, Module, normalValues, type ForwardContext } from '@qlora-js/kernels';
import { Linear4bit } from '@qlora-js/quant';

class Group extends Module {}

export const WIDTH = 64;
export const LABELS = 5;

export interface TinyOptions {
  readonly layers?: number;
  /** Keep the blocks in 4 bits. */
  readonly quantised?: boolean;
  readonly seed?: number;
}

/** A chain of GPT-2-named linear layers with a head, small enough for every backend. */
export class TinyModel extends Module {
  private readonly paths: string[] = [];

  constructor({ layers = 2, quantised = false, seed = 7 }: TinyOptions = {}) {
    super();
    let stream = 0;
    const make = (outFeatures: number, inFeatures: number, dense: boolean): LinearLayer => {
      const values = normalValues(outFeatures * inFeatures, { seed, stream: stream++ }).map((value) => value * 0.1);
      const bias = tensor1d(normalValues(outFeatures, { seed, stream: stream++ }).map((value) => value * 0.1));
      if (dense) return new Linear(tensor2d(values, [outFeatures, inFeatures]), bias);
      return Linear4bit.fromDense(values, [outFeatures, inFeatures], {}, bias);
    };
    const h = new Group();
    for (let index = 0; index < layers; index++) {
      const attn = new Group();
      attn.setChild('c_attn', make(WIDTH, WIDTH, !quantised));
      attn.setChild('c_proj', make(WIDTH, WIDTH, !quantised));
      const mlp = new Group();
      mlp.setChild('c_fc', make(WIDTH, WIDTH, !quantised));
      mlp.setChild('c_proj', make(WIDTH, WIDTH, !quantised));
      const block = new Group();
      block.setChild('attn', attn);
      block.setChild('mlp', mlp);
      h.setChild(String(index), block);
      this.paths.push(
        ...['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'].map((name) => `transformer.h.${index}.${name}`),
      );
    }
    const transformer = new Group();
    transformer.setChild('h', h);
    this.setChild('transformer', transformer);
    this.setChild('score', make(LABELS, WIDTH, true));
  }

  forward(x: Tensor2D, context: ForwardContext = INFERENCE): Tensor2D {
    let y = x;
    for (const path of this.paths) y = add(y, (this.module(path) as LinearLayer).forward(y, context));
    return (this.module('score') as LinearLayer).forward(y, context);
  }
}

/** Rows of normal numbers [rows, WIDTH]. */
export function inputRows(rows: number, seed = 1): Tensor2D {
  return tensor2d(normalValues(rows * WIDTH, { seed, stream: 99 }), [rows, WIDTH]);
}
