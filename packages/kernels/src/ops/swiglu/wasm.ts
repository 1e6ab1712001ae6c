import { util } from '@tensorflow/tfjs-core';
import type { WasmKernel } from '../../engine/op';
import type { SwigluBackwardInputs, SwigluGradients, SwigluInputs } from './types';

export const wasmSwiglu: WasmKernel<SwigluInputs, object> = ({ gate, up }, _attributes, wasm) => {
  const y = wasm.output(gate.shape);
  const n = util.sizeFromShape(gate.shape);
  wasm.call.swiglu({ gate: wasm.pointer(gate), up: wasm.pointer(up), n, y: wasm.pointer(y) });
  return y;
};

export const wasmSwigluBackward: WasmKernel<SwigluBackwardInputs, object, SwigluGradients> = (
  { dy, gate, up },
  _attributes,
  wasm,
) => {
  const [dgate, dup] = [wasm.output(gate.shape), wasm.output(gate.shape)];
  wasm.call.swigluBackward({
    dy: wasm.pointer(dy),
    gate: wasm.pointer(gate),
    up: wasm.pointer(up),
    n: util.sizeFromShape(gate.shape),
    dgate: wasm.pointer(dgate),
    dup: wasm.pointer(dup),
  });
  return { gate: dgate, up: dup };
};
