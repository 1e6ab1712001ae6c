import type { WasmKernel } from '../../engine/op';
import type {
  LayerNormAttributes,
  LayerNormBackwardInputs,
  LayerNormInputs,
  LayerNormOutputs,
  LayerNormParameterGradients,
} from './types';

export const wasmLayerNorm: WasmKernel<LayerNormInputs, LayerNormAttributes, LayerNormOutputs> = (
  { x, gamma, beta },
  { epsilon },
  wasm,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const y = wasm.output([rows, columns]);
  const mean = wasm.output([rows]);
  const reciprocalStd = wasm.output([rows]);
  wasm.call.layerNorm({
    x: wasm.pointer(x),
    gamma: wasm.pointer(gamma),
    beta: wasm.pointer(beta),
    rows,
    cols: columns,
    eps: epsilon,
    y: wasm.pointer(y),
    mean: wasm.pointer(mean),
    rstd: wasm.pointer(reciprocalStd),
  });
  return { y, mean, reciprocalStd };
};

export const wasmLayerNormBackward: WasmKernel<LayerNormBackwardInputs, object> = (
  { dy, x, gamma, mean, reciprocalStd },
  _attributes,
  wasm,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const dx = wasm.output([rows, columns]);
  wasm.call.layerNormBackward({
    dy: wasm.pointer(dy),
    x: wasm.pointer(x),
    gamma: wasm.pointer(gamma),
    mean: wasm.pointer(mean),
    rstd: wasm.pointer(reciprocalStd),
    rows,
    cols: columns,
    dx: wasm.pointer(dx),
  });
  return dx;
};

export const wasmLayerNormParameterGradients: WasmKernel<
  LayerNormBackwardInputs,
  object,
  LayerNormParameterGradients
> = ({ dy, x, mean, reciprocalStd }, _attributes, wasm) => {
  const [rows = 0, columns = 0] = x.shape;
  const dgamma = wasm.output([columns]);
  const dbeta = wasm.output([columns]);
  wasm.call.layerNormParamGradients({
    dy: wasm.pointer(dy),
    x: wasm.pointer(x),
    mean: wasm.pointer(mean),
    rstd: wasm.pointer(reciprocalStd),
    rows,
    cols: columns,
    dgamma: wasm.pointer(dgamma),
    dbeta: wasm.pointer(dbeta),
  });
  return { gamma: dgamma, beta: dbeta };
};
