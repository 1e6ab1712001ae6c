import type { OpDefinition } from '../../engine/op';
import type { LayerNormAttributes, LayerNormBackwardInputs, LayerNormInputs } from './types';

type Wasm<Inputs extends LayerNormInputs | LayerNormBackwardInputs, Attributes extends object> = NonNullable<
  OpDefinition<Inputs, Attributes>['wasm']
>;

export const wasmLayerNorm: Wasm<LayerNormInputs, LayerNormAttributes> = ({ x, gamma, beta }, { epsilon }, wasm) => {
  const [rows = 0, columns = 0] = x.shape;
  const y = wasm.output([rows, columns]);
  const mean = wasm.output([rows]);
  const reciprocalStd = wasm.output([rows]);
  wasm.kernels.layerNorm(
    wasm.pointer(x),
    wasm.pointer(gamma),
    wasm.pointer(beta),
    rows,
    columns,
    epsilon,
    wasm.pointer(y),
    wasm.pointer(mean),
    wasm.pointer(reciprocalStd),
  );
  return [y, mean, reciprocalStd];
};

export const wasmLayerNormBackward: Wasm<LayerNormBackwardInputs, object> = (
  { dy, x, gamma, mean, reciprocalStd },
  _attributes,
  wasm,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const dx = wasm.output([rows, columns]);
  wasm.kernels.layerNormBackward(
    wasm.pointer(dy),
    wasm.pointer(x),
    wasm.pointer(gamma),
    wasm.pointer(mean),
    wasm.pointer(reciprocalStd),
    rows,
    columns,
    wasm.pointer(dx),
  );
  return [dx];
};

export const wasmLayerNormParameterGradients: Wasm<LayerNormBackwardInputs, object> = (
  { dy, x, mean, reciprocalStd },
  _attributes,
  wasm,
) => {
  const [rows = 0, columns = 0] = x.shape;
  const dgamma = wasm.output([columns]);
  const dbeta = wasm.output([columns]);
  wasm.kernels.layerNormParamGradients(
    wasm.pointer(dy),
    wasm.pointer(x),
    wasm.pointer(mean),
    wasm.pointer(reciprocalStd),
    rows,
    columns,
    wasm.pointer(dgamma),
    wasm.pointer(dbeta),
  );
  return [dgamma, dbeta];
};
