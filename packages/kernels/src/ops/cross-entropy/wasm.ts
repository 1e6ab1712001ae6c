import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WasmKernel } from '../../engine/op';
import type { WasmContext } from '../../wasm/context';
import type {
  CrossEntropyAttributes,
  CrossEntropyBackwardInputs,
  CrossEntropyInputs,
  CrossEntropyOutputs,
} from './types';

/** What the sum over rows is divided by. The kernels skip labels outside the classes, which ignored ones are made. */
function divisor(labels: Int32Array, { reduction, ignoreIndex }: CrossEntropyAttributes): number {
  return reduction === 'sum' ? 1 : labels.filter((label) => label !== ignoreIndex).length;
}

/** The labels with ignoreIndex outside every class, in a tensor the caller disposes of. */
function kernelLabels(
  labels: TensorInfo,
  ignoreIndex: number,
  wasm: WasmContext,
): { tensor: TensorInfo; values: Int32Array } {
  const values = Int32Array.from(wasm.backend.readSync(labels.dataId) as Int32Array);
  const tensor = wasm.output([values.length], 'int32');
  wasm.backend.typedArrayFromHeap(tensor).set(values.map((label) => (label === ignoreIndex ? -1 : label)));
  return { tensor, values };
}

export const wasmCrossEntropy: WasmKernel<CrossEntropyInputs, CrossEntropyAttributes, CrossEntropyOutputs> = (
  { logits, labels },
  attributes,
  wasm,
) => {
  const [rows = 0, classes = 0] = logits.shape;
  const { tensor, values } = kernelLabels(labels, attributes.ignoreIndex, wasm);
  const losses = wasm.output([rows]);
  const probabilities = wasm.output([rows, classes]);
  wasm.call.softmaxCrossEntropy({
    logits: wasm.pointer(logits),
    labels: wasm.pointer(tensor),
    rows,
    classes,
    lossRows: wasm.pointer(losses),
    probs: wasm.pointer(probabilities),
  });
  let total = 0;
  for (const loss of wasm.backend.typedArrayFromHeap(losses)) total += loss;
  const loss = wasm.output([]);
  wasm.backend.typedArrayFromHeap(loss)[0] = total / divisor(values, attributes);
  wasm.backend.disposeData(tensor.dataId);
  wasm.backend.disposeData(losses.dataId);
  return { loss, probabilities };
};

export const wasmCrossEntropyBackward: WasmKernel<CrossEntropyBackwardInputs, CrossEntropyAttributes> = (
  { dy, probabilities, labels },
  attributes,
  wasm,
) => {
  const [rows = 0, classes = 0] = probabilities.shape;
  const { tensor, values } = kernelLabels(labels, attributes.ignoreIndex, wasm);
  const slopes = wasm.output([rows]);
  const slope = (wasm.backend.readSync(dy.dataId) as Float32Array)[0]! / divisor(values, attributes);
  wasm.backend.typedArrayFromHeap(slopes).fill(slope);
  const dlogits = wasm.output([rows, classes]);
  wasm.call.softmaxCrossEntropyBackward({
    probs: wasm.pointer(probabilities),
    labels: wasm.pointer(tensor),
    dlossRows: wasm.pointer(slopes),
    rows,
    classes,
    dlogits: wasm.pointer(dlogits),
  });
  wasm.backend.disposeData(tensor.dataId);
  wasm.backend.disposeData(slopes.dataId);
  return dlogits;
};
