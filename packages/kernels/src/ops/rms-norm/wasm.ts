import type { WasmKernel } from '../../engine/op';
import type { RmsNormAttributes, RmsNormBackwardInputs, RmsNormInputs, RmsNormOutputs } from './types';

type WasmBackward = WasmKernel<RmsNormBackwardInputs, object>;

export const wasmRmsNorm: WasmKernel<RmsNormInputs, RmsNormAttributes, RmsNormOutputs> = (
  { x, weight },
  { epsilon },
  wasm,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const y = wasm.output([rows, columns]);
  const reciprocalRms = wasm.output([rows]);
  wasm.call.rmsNorm({
    x: wasm.pointer(x),
    weight: wasm.pointer(weight),
    rows,
    cols: columns,
    eps: epsilon,
    y: wasm.pointer(y),
    rrms: wasm.pointer(reciprocalRms),
  });
  return { y, reciprocalRms };
};

export const wasmRmsNormBackward: WasmBackward = ({ dy, x, weight, reciprocalRms }, _attributes, wasm) => {
  const [rows = 0, columns = 0] = x.shape;
  const dx = wasm.output([rows, columns]);
  wasm.call.rmsNormBackward({
    dy: wasm.pointer(dy),
    x: wasm.pointer(x),
    weight: wasm.pointer(weight),
    rrms: wasm.pointer(reciprocalRms),
    rows,
    cols: columns,
    dx: wasm.pointer(dx),
  });
  return dx;
};

export const wasmRmsNormWeightGradient: WasmBackward = ({ dy, x, reciprocalRms }, _attributes, wasm) => {
  const [rows = 0, columns = 0] = x.shape;
  const dweight = wasm.output([columns]);
  wasm.call.rmsNormWeightGradient({
    dy: wasm.pointer(dy),
    x: wasm.pointer(x),
    rrms: wasm.pointer(reciprocalRms),
    rows,
    cols: columns,
    dweight: wasm.pointer(dweight),
  });
  return dweight;
};
