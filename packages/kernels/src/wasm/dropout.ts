import type { TensorInfo } from '@tensorflow/tfjs-core';
import { dropoutNumbers } from '../random/dropout-stream';
import type { WasmContext } from './context';

/** A dropout as the arguments the WASM kernels share: threshold, scale, key and the counter's words. */
export function wasmDropoutArguments(
  random: TensorInfo,
  { rate, site }: { readonly rate: number; readonly site: number },
  wasm: WasmContext,
): [number, number, number, number, number, number, number] {
  const { threshold, keepScale } = dropoutNumbers(rate);
  const [seedLow = 0, seedHigh = 0, step = 0, microBatch = 0] = wasm.backend.readSync(random.dataId) as Int32Array;
  return [threshold, keepScale, seedLow, seedHigh, site, step, microBatch];
}
