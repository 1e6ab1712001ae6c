import { engine, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { checkShape, checkTensor } from '../../engine/check';
import { differentiable } from '../../engine/gradient';
import { KernelError } from '../../errors';
import { activationKind } from '../activation';
import { takeMatrixApart, weightOf } from '../../four-bit/take-apart';
import type { QuantizedTensor } from '../../four-bit/types';
import { checkDropout, type DropoutOptions } from '../dropout';
import { matmul4bit } from '../matmul4bit';
import { forwardWithAdditions } from './additions';
import { loraMatmul4bitGradient } from './gradient';
import { loraInner } from './inner';
import { choosePasses } from './passes';
import { loraProduct } from './product';
import type {
  LoraMatmul4bitAttributes,
  LoraMatmul4bitInputs,
  LoraMatmul4bitOptions,
  LoraMatmul4bitOutputs,
  Site,
} from './types';

export { forwardWithAdditions } from './additions';
export type { LinearAdditions, LoraMatmul4bitOptions, LoraTerm, Residual } from './types';

/** Two passes, whichever suit the device: a node of the tape, and no op that a backend could have a kernel of. */
function forward(inputs: LoraMatmul4bitInputs, attributes: LoraMatmul4bitAttributes): LoraMatmul4bitOutputs {
  const { x, a, b, bias, residual, random } = inputs;
  const { activation, scaling, inputDropout, outputDropout, ...product } = attributes;
  const weight = weightOf(inputs);
  const sizes = { rows: x.shape[0] ?? 0, rank: a.shape[0] ?? 0 };
  const { half, prepares } = choosePasses(sizes, product, { rate: inputDropout.rate, keeps: true });
  const { inner, keepBits, written, halfWeight } = loraInner(
    { ...(prepares ? weight : {}), x, factor: a, random },
    {
      activation,
      factorTransposed: false,
      scale: 1,
      dropout: inputDropout,
      writes: activation === 'linear' && !half ? 'nothing' : 'activated',
      half,
      weight: prepares ? product : undefined,
    },
  );
  const y = loraProduct(
    {
      ...{ ...weight, x: written ?? x, bias, inner, factor: b, residual, random, halfWeight },
      ...{ keepBits: undefined, activated: undefined },
    },
    { ...product, scale: scaling, slope: 'linear', keepScale: 1, outputDropout },
  );
  return { y, inner, keepBits };
}

const run = differentiable(forward, loraMatmul4bitGradient);

/** Widest rank that fits the tile of the product's depth in workgroup memory. */
const LARGEST_RANK = 64;

/** Whether the fused kernels take these shapes: whole words of keep bits, whole vectors of the rank. */
function fits(shape: readonly number[], rank: number): boolean {
  return rank % 8 === 0 && rank <= LARGEST_RANK && shape.every((extent) => extent % 32 === 0);
}

/**
 * residual + dropout(x·Wᵀ + bias + scaling · (dropout(x) · aᵀ) · bᵀ) with W in 4 bits, or with activation(x) for x: a
 * whole linear layer with LoRA (Hu et al. 2021, section 4.1, on Dettmers et al. 2023, equation 5). On webgpu it takes
 * two passes forward and three back where widths are multiples of 32 and r one of 8 up to 64; elsewhere it is composed
 * of `matmul4bit`, `dropout`, `gemm` and `dropoutAdd`. No gradient flows to W.
 *
 * @param x [M, K] float32
 * @param weight [N, K]
 * @returns [M, N]
 * @throws KernelError BAD_SHAPE; BAD_ARGUMENT for dropouts with two random states
 */
export function loraMatmul4bit(x: Tensor2D, weight: QuantizedTensor, options: LoraMatmul4bitOptions): Tensor2D {
  const { bias, ...additions } = options;
  if (engine().backendName !== 'webgpu' || !fits(weight.state.shape, options.lora.a.shape[0])) {
    const product = (taken: Tensor2D): Tensor2D => matmul4bit(taken, weight, bias === undefined ? {} : { bias });
    return forwardWithAdditions(x, product, additions);
  }
  return fusedLoraMatmul4bit(x, weight, options);
}

/** The fused op on any backend; `fits` has to hold. */
export function fusedLoraMatmul4bit(
  x: Tensor2D,
  weight: QuantizedTensor,
  { activation, bias, lora, residual }: LoraMatmul4bitOptions,
): Tensor2D {
  const op = 'loraMatmul4bit';
  checkTensor(op, 'x', x, 2, 'float32');
  const { inputs, attributes } = takeMatrixApart(op, weight);
  const [N, K] = attributes.shape;
  checkShape(op, 'x', x, [undefined, K]);
  checkShape(op, 'lora.a', lora.a, [undefined, K]);
  checkShape(op, 'lora.b', lora.b, [N, lora.a.shape[0]]);
  if (bias !== undefined) checkShape(op, 'bias', bias, [N]);
  if (residual !== undefined) checkShape(op, 'residual.tensor', residual.tensor, [x.shape[0], N]);
  const random = sharedRandom(lora.dropout, residual?.dropout);
  return run(
    { ...inputs, x, a: lora.a, b: lora.b, bias, residual: residual?.tensor, random },
    {
      ...attributes,
      transposed: false,
      activation: activation === undefined ? 'linear' : activationKind(op, activation),
      scaling: lora.scaling,
      inputDropout: siteOf(lora.dropout, x.shape[0]),
      outputDropout: siteOf(residual?.dropout, x.shape[0]),
    },
  ).y as Tensor2D;
}

function siteOf(dropout: DropoutOptions | undefined, rows: number): Site {
  return dropout === undefined ? { rate: 0, site: 0 } : checkDropout('loraMatmul4bit', dropout, rows);
}

function sharedRandom(...dropouts: (DropoutOptions | undefined)[]): Tensor1D | undefined {
  const states = new Set(dropouts.flatMap((dropout) => (dropout === undefined ? [] : [dropout.random])));
  if (states.size > 1) {
    throw new KernelError(
      'BAD_ARGUMENT',
      'loraMatmul4bit: lora.dropout and residual.dropout have different random states; give both the one of this pass',
    );
  }
  return [...states][0];
}
