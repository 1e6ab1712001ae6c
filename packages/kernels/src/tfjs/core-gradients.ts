import {
  broadcast_util,
  cast,
  div,
  exp,
  getGradient,
  matMul,
  mul,
  neg,
  onesLike,
  registerGradient,
  reshape,
  square,
  sub,
  sum,
  transpose,
  util,
  zerosLike,
  type GradConfig,
  type NamedAttrMap,
  type Tensor,
} from '@tensorflow/tfjs-core';

type Gradients = Record<string, () => Tensor>;

interface CoreGradient {
  readonly kernels: readonly string[];
  readonly saveInputs?: readonly string[];
  readonly saveOutput?: boolean;
  readonly backward: (dy: Tensor, saved: Tensor[], attrs: NamedAttrMap) => Gradients;
}

/** Sums dy over the axes along which an operand was broadcast. */
function unbroadcast(dy: Tensor, shape: number[]): Tensor {
  const axes = broadcast_util.getReductionAxes(shape, dy.shape);
  return reshape(axes.length > 0 ? sum(dy, axes) : dy, shape);
}

function expandReduced(dy: Tensor, x: Tensor, axis: unknown): Tensor {
  const axes = util.parseAxisParam((axis ?? null) as number[] | null as number[], x.shape);
  const shape = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  return mul(reshape(dy, shape), onesLike(x));
}

const CORE_GRADIENTS: readonly CoreGradient[] = [
  { kernels: ['Identity', 'Cast'], backward: (dy) => ({ x: () => cast(dy, 'float32') }) },
  { kernels: ['Reshape'], saveInputs: ['x'], backward: (dy, [x]) => ({ x: () => reshape(dy, x!.shape) }) },
  {
    kernels: ['Add'],
    saveInputs: ['a', 'b'],
    backward: (dy, [a, b]) => ({ a: () => unbroadcast(dy, a!.shape), b: () => unbroadcast(dy, b!.shape) }),
  },
  {
    kernels: ['Sub'],
    saveInputs: ['a', 'b'],
    backward: (dy, [a, b]) => ({ a: () => unbroadcast(dy, a!.shape), b: () => unbroadcast(neg(dy), b!.shape) }),
  },
  {
    kernels: ['Multiply'],
    saveInputs: ['a', 'b'],
    backward: (dy, [a, b]) => ({
      a: () => unbroadcast(mul(dy, b!), a!.shape),
      b: () => unbroadcast(mul(dy, a!), b!.shape),
    }),
  },
  {
    kernels: ['RealDiv'],
    saveInputs: ['a', 'b'],
    backward: (dy, [a, b]) => ({
      a: () => unbroadcast(div(dy, b!), a!.shape),
      b: () => unbroadcast(neg(div(mul(dy, a!), square(b!))), b!.shape),
    }),
  },
  { kernels: ['Neg'], backward: (dy) => ({ x: () => neg(dy) }) },
  { kernels: ['Exp'], saveOutput: true, backward: (dy, [y]) => ({ x: () => mul(dy, y!) }) },
  { kernels: ['Log'], saveInputs: ['x'], backward: (dy, [x]) => ({ x: () => div(dy, x!) }) },
  { kernels: ['Sqrt'], saveOutput: true, backward: (dy, [y]) => ({ x: () => div(dy, mul(y!, 2)) }) },
  { kernels: ['Square'], saveInputs: ['x'], backward: (dy, [x]) => ({ x: () => mul(dy, mul(x!, 2)) }) },
  { kernels: ['Tanh'], saveOutput: true, backward: (dy, [y]) => ({ x: () => mul(dy, sub(1, square(y!))) }) },
  {
    kernels: ['Sigmoid'],
    saveOutput: true,
    backward: (dy, [y]) => ({ x: () => mul(dy, mul(y!, sub(1, y!))) }),
  },
  { kernels: ['ZerosLike', 'OnesLike'], backward: (dy) => ({ x: () => zerosLike(dy) }) },
  {
    kernels: ['Sum'],
    saveInputs: ['x'],
    backward: (dy, [x], attrs) => ({ x: () => expandReduced(dy, x!, attrs['axis']) }),
  },
  {
    kernels: ['Mean'],
    saveInputs: ['x'],
    backward: (dy, [x], attrs) => ({
      x: () => div(expandReduced(dy, x!, attrs['axis']), x!.size / Math.max(1, dy.size)),
    }),
  },
  {
    kernels: ['Softmax'],
    saveOutput: true,
    backward: (dy, [y]) => ({
      logits: () => {
        const weighted = mul(dy, y!);
        return sub(weighted, mul(sum(weighted, -1, true), y!));
      },
    }),
  },
  {
    kernels: ['LogSoftmax'],
    saveOutput: true,
    backward: (dy, [y]) => ({ logits: () => sub(dy, mul(sum(dy, -1, true), exp(y!))) }),
  },
  {
    kernels: ['Transpose'],
    backward: (dy, _saved, attrs) => {
      const permutation = attrs['perm'] as number[];
      const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
      return { x: () => transpose(dy, inverse) };
    },
  },
  {
    kernels: ['BatchMatMul'],
    saveInputs: ['a', 'b'],
    backward: (dy, [a, b], attrs) => {
      const transposeA = attrs['transposeA'] as boolean;
      const transposeB = attrs['transposeB'] as boolean;
      return {
        a: () => (transposeA ? matMul(b!, dy, transposeB, true) : matMul(dy, b!, false, !transposeB)),
        b: () => (transposeB ? matMul(dy, a!, true, transposeA) : matMul(a!, dy, !transposeA, false)),
      };
    },
  },
];

/**
 * Registers gradients of the tfjs kernels that models here are built from, where nobody registered them before.
 * tfjs-core keeps its own in modules that Node can't import (their relative imports lack extensions), and its Node
 * bundle leaves them out; a program that has imported all of tfjs keeps tfjs' own.
 */
export function registerCoreGradients(): void {
  for (const { kernels, saveInputs = [], saveOutput = false, backward } of CORE_GRADIENTS) {
    for (const kernelName of kernels) {
      if (getGradient(kernelName) !== undefined) continue;
      const config: GradConfig = {
        kernelName,
        inputsToSave: [...saveInputs],
        outputsToSave: [saveOutput],
        gradFunc: (dy, saved, attrs) => backward(dy as Tensor, saved, attrs),
      };
      registerGradient(config);
    }
  }
}
