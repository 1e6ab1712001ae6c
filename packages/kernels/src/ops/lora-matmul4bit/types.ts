import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { ActivationKind, ActivationName } from '../../formats/activations';
import type { DropoutOptions } from '../dropout';
import type { Packed4bitAttributes, Packed4bitInputs } from '../../four-bit/types';
import type { Matmul4bitInputs, Matmul4bitAttributes } from '../../products/types';

/** What LoRA adds to a product x·Wᵀ: scaling · (dropout(x) · aᵀ) · bᵀ. */
export interface LoraTerm {
  /** [r, K] */
  readonly a: Tensor2D;
  /** [N, r] */
  readonly b: Tensor2D;
  readonly scaling: number;
  /** Dropout of x on its way to a. */
  readonly dropout?: DropoutOptions;
}

/** What a layer's result is added to. */
export interface Residual {
  /** [M, N] */
  readonly tensor: Tensor2D;
  /** Dropout of the layer's result. */
  readonly dropout?: DropoutOptions;
}

/** What is done in the passes that make a linear layer's product. */
export interface LinearAdditions {
  /** Of x on its way in: the layer takes activation(x), and its gradient by x comes through it. */
  readonly activation?: ActivationName;
  readonly lora?: LoraTerm;
  readonly residual?: Residual;
}

export interface LoraMatmul4bitOptions extends LinearAdditions {
  readonly lora: LoraTerm;
  /** [N] */
  readonly bias?: Tensor1D;
}

/** A dropout within an op whose random state is an input; rate 0 where there is none. */
export interface Site {
  readonly rate: number;
  readonly site: number;
}

export interface LoraMatmul4bitInputs extends Matmul4bitInputs {
  a: Tensor;
  b: Tensor;
  residual: Tensor | undefined;
  /** Of the two dropouts, where there is one. */
  random: Tensor | undefined;
}

export interface LoraMatmul4bitOutputs extends Pick<InnerOutputs, 'inner' | 'keepBits'> {
  /** [M, N] */
  y: Tensor;
}

export interface LoraMatmul4bitAttributes extends Matmul4bitAttributes {
  /** Of x; 'linear' where there is none. */
  readonly activation: ActivationKind;
  readonly scaling: number;
  readonly inputDropout: Site;
  readonly outputDropout: Site;
}

/** The tensors of W are there where `weight` is given. */
export interface InnerInputs extends Partial<Packed4bitInputs> {
  x: Tensor;
  factor: Tensor;
  /** Of the dropout, where there is one. */
  random: Tensor | undefined;
}

export interface InnerOutputs {
  /** [parts, M, r], to be summed over the parts: scale · dropout(activation(x)) · factorᵀ */
  inner: Tensor;
  /** Of a dropout that `written` does not hold, int32 [M K / 32]: a bit an element costs less than drawing it again. */
  keepBits: Tensor | undefined;
  /** What `writes` says, [M, K]; in halves int32 [M, K / 2] */
  written: Tensor | undefined;
  /** With `weight` W in float16, int32 [N K / 2] */
  halfWeight: Tensor | undefined;
}

export interface InnerAttributes {
  /** Of x, before its dropout. */
  readonly activation: ActivationKind;
  /** The factor is [K, r] instead of [r, K], and x is a gradient. */
  readonly factorTransposed: boolean;
  readonly scale: number;
  readonly dropout: Site;
  /** What else is written of what the pass has read: activation(x), or its dropout. */
  readonly writes: 'nothing' | 'activated' | 'dropped';
  /** It is written in float16, gradients times SLOPE_SCALE: int32 [M, K / 2]. */
  readonly half: boolean;
  /** W, which the pass dequantises to float16 beside its own work, for the product that follows. */
  readonly weight?: Packed4bitAttributes | undefined;
}

/** What a shader of it bakes in. */
export type InnerShaderConstants = Pick<InnerAttributes, 'activation' | 'factorTransposed' | 'writes' | 'half'> &
  Readonly<{ dropout: boolean }>;

export interface ProductInputs extends Matmul4bitInputs {
  /** [M, depth] float32; or its float16, gradients times SLOPE_SCALE, int32 [M, depth / 2] */
  x: Tensor;
  /** [parts, M, r], to be summed over the parts */
  inner: Tensor;
  /** [columns, r], or [r, columns] where the product is transposed. */
  factor: Tensor;
  keepBits: Tensor | undefined;
  /** What an activation was applied to whose derivative multiplies the product [M, columns]. */
  activated: Tensor | undefined;
  residual: Tensor | undefined;
  random: Tensor | undefined;
  /** W in float16 where the pass before has dequantised it, int32 [N K / 2] */
  halfWeight: Tensor | undefined;
}

export interface ProductAttributes extends Matmul4bitAttributes {
  /** The activation of `activated`. */
  readonly slope: ActivationKind;
  readonly scale: number;
  /** What kept values of LoRA's term are multiplied by, where there are keep bits. */
  readonly keepScale: number;
  readonly outputDropout: Site;
}

export interface WeightGradientInputs extends Record<string, Tensor | undefined> {
  /** [M, K], before the activation */
  x: Tensor;
  /** [M, N] float32; or the float16 of SLOPE_SCALE times it, int32 [M, N / 2] */
  dy: Tensor;
  /** [parts, M, r], to be summed over the parts: dropout(x) · aᵀ */
  inner: Tensor;
  /** [parts, M, r], likewise: scaling · dy · b */
  dInner: Tensor;
  /** Of x; absent without dropout. */
  keepBits: Tensor | undefined;
}

export interface WeightGradientOutputs {
  /** [r, K] */
  a: Tensor;
  /** [N, r] */
  b: Tensor;
}

export interface WeightGradientAttributes {
  readonly activation: ActivationKind;
  readonly scaling: number;
  /** What kept values of x are multiplied by, where there are keep bits. */
  readonly keepScale: number;
}
