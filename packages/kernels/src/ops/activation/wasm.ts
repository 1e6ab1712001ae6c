import { tidy, util, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmKernel } from '../../engine/op';
import { WASM_ACTIVATION } from '../../wasm/exports';
import { composeActivation, composeActivationBackward } from './compose';
import type { ActivationKind } from '../../formats/activations';
import type { ActivationAttributes, ActivationBackwardInputs, ActivationInputs } from './types';

/** The formulas with a SIMD kernel; the others run as tfjs ops on the same backend. */
const KERNELS: Partial<Record<ActivationKind, number>> = {
  gelu_tanh: WASM_ACTIVATION.geluNew,
  gelu_erf: WASM_ACTIVATION.geluErf,
  gelu_sigmoid: WASM_ACTIVATION.quickGelu,
  relu: WASM_ACTIVATION.relu,
  silu: WASM_ACTIVATION.silu,
  tanh: WASM_ACTIVATION.tanh,
};

/** A kernel's inputs are tensors whose types say no more than TensorInfo. */
const asTensor = (info: TensorInfo): Tensor => info as Tensor;

export const wasmActivation: WasmKernel<ActivationInputs, ActivationAttributes> = ({ x }, { kind }, wasm) => {
  const kernel = KERNELS[kind];
  if (kernel === undefined) return tidy(() => composeActivation({ x: asTensor(x) }, { kind }));
  const y = wasm.output(x.shape);
  wasm.call.activation({ kind: kernel, x: wasm.pointer(x), n: util.sizeFromShape(x.shape), y: wasm.pointer(y) });
  return y;
};

export const wasmActivationBackward: WasmKernel<ActivationBackwardInputs, ActivationAttributes> = (
  { dy, x },
  { kind },
  wasm,
) => {
  const kernel = KERNELS[kind];
  if (kernel === undefined)
    return tidy(() => composeActivationBackward({ dy: asTensor(dy), x: asTensor(x) }, { kind }));
  const dx = wasm.output(x.shape);
  const size = util.sizeFromShape(x.shape);
  wasm.call.activationBackward({
    kind: kernel,
    dy: wasm.pointer(dy),
    x: wasm.pointer(x),
    n: size,
    dx: wasm.pointer(dx),
  });
  return dx;
};
