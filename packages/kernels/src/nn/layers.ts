import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { dropout, type DropoutOptions } from '../ops/dropout';
import { gemm } from '../ops/gemm';
import { layerNorm, layerNormBranch } from '../ops/layer-norm';
import { forwardWithAdditions, type LinearAdditions } from '../ops/lora-matmul4bit';
import { rmsNorm, rmsNormBranch } from '../ops/rms-norm';
import { KernelError } from '../errors';
import { Module, type ForwardContext } from './module';
import { Parameter } from './parameter';

/**
 * How the Python stack's files lay a dense weight: as torch.nn.Linear does, [outFeatures, inFeatures], or as
 * transformers' Conv1D does in GPT-2's blocks, [inFeatures, outFeatures].
 */
export type StoredLayout = 'out-in' | 'in-out';

/** y = x Wᵀ + b on rows; what LoRA wraps. */
export abstract class LinearLayer extends Module {
  abstract readonly inFeatures: number;
  abstract readonly outFeatures: number;
  /** The weight here is [outFeatures, inFeatures] whatever this says: it is for those who read and write files. */
  storedLayout: StoredLayout = 'out-in';

  /** x [rows, inFeatures] -> [rows, outFeatures] */
  abstract forward(x: Tensor2D, context: ForwardContext): Tensor2D;

  /** The same with an activation before it, LoRA's term and a residual added; a layer that can do so in the product's own pass overrides it. */
  forwardWith(x: Tensor2D, context: ForwardContext, additions: LinearAdditions): Tensor2D {
    return forwardWithAdditions(x, (taken) => this.forward(taken, context), additions);
  }

  /** The dense weight [outFeatures, inFeatures], newly made; the caller disposes of it. */
  abstract denseWeight(): Tensor2D;

  /** A layer of the same kind and bias with another weight [outFeatures, inFeatures]; a 4-bit layer quantises it. */
  abstract withWeight(weight: Tensor2D): LinearLayer;
}

/** A dense linear layer; `weight` is [outFeatures, inFeatures], as torch.nn.Linear keeps it. */
export class Linear extends LinearLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(weight: Tensor2D, bias?: Tensor1D) {
    super();
    [this.outFeatures, this.inFeatures] = weight.shape;
    this.weight = new Parameter(weight);
    this.setParameter('weight', this.weight);
    if (bias !== undefined) {
      this.bias = new Parameter(bias);
      this.setParameter('bias', this.bias);
    }
  }

  forward(x: Tensor2D, _context: ForwardContext): Tensor2D {
    return gemm(x, this.weight.value as Tensor2D, {
      transposeB: true,
      ...(this.bias === undefined ? {} : { bias: this.bias.value as Tensor1D }),
    });
  }

  denseWeight(): Tensor2D {
    return this.weight.value.clone() as Tensor2D;
  }

  withWeight(weight: Tensor2D): Linear {
    const layer = new Linear(weight.clone(), this.bias?.value.clone() as Tensor1D | undefined);
    layer.storedLayout = this.storedLayout;
    return layer;
  }
}

export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(
    weight: Tensor1D,
    bias: Tensor1D,
    readonly epsilon: number,
  ) {
    super();
    this.weight = new Parameter(weight);
    this.bias = new Parameter(bias);
    this.setParameter('weight', this.weight);
    this.setParameter('bias', this.bias);
  }

  forward(x: Tensor2D): Tensor2D {
    return layerNorm(x, this.weight.value as Tensor1D, this.bias.value as Tensor1D, this.epsilon);
  }

  /** The normalised rows, and x for a residual around what takes them: see `layerNormBranch`. */
  branch(x: Tensor2D): [normalised: Tensor2D, x: Tensor2D] {
    return layerNormBranch(x, this.weight.value as Tensor1D, this.bias.value as Tensor1D, this.epsilon);
  }
}

/** Root mean square normalisation with a weight, as transformers' LlamaRMSNorm. */
export class RMSNorm extends Module {
  readonly weight: Parameter;

  constructor(
    weight: Tensor1D,
    readonly epsilon: number,
  ) {
    super();
    this.weight = new Parameter(weight);
    this.setParameter('weight', this.weight);
  }

  forward(x: Tensor2D): Tensor2D {
    return rmsNorm(x, this.weight.value as Tensor1D, this.epsilon);
  }

  /** The normalised rows, and x for a residual around what takes them: see `rmsNormBranch`. */
  branch(x: Tensor2D): [normalised: Tensor2D, x: Tensor2D] {
    return rmsNormBranch(x, this.weight.value as Tensor1D, this.epsilon);
  }
}

/** Drops elements while training. Each has a site number, given by `assignDropoutSites`, that picks its random stream. */
export class Dropout extends Module {
  site: number | undefined;

  constructor(readonly rate: number) {
    super();
  }

  /** Whether a forward pass under this context drops anything. */
  active(context: ForwardContext): boolean {
    return context.training && this.rate > 0;
  }

  /** What ops with a built-in dropout take, or undefined where nothing is dropped. */
  options(context: ForwardContext): DropoutOptions | undefined {
    if (!this.active(context)) return undefined;
    if (context.random === undefined || this.site === undefined) {
      throw new KernelError(
        'BAD_ARGUMENT',
        'a training pass with dropout needs context.random and, where not all rows go on, context.randomAfter (randomState), and assignDropoutSites(model)',
      );
    }
    return { rate: this.rate, random: context.random, site: this.site };
  }

  forward<T extends Tensor>(x: T, context: ForwardContext): T {
    const options = this.options(context);
    return options === undefined ? x : dropout(x, options);
  }
}

/** Numbers every dropout of a model in the tree's order, so that no two draw the same stream. */
export function assignDropoutSites(model: Module): void {
  let site = 0;
  for (const [, module] of model.namedModules()) if (module instanceof Dropout) module.site = site++;
}
