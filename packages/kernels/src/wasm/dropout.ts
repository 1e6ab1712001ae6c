import type { TensorInfo } from '@tensorflow/tfjs-core';
import { dropoutNumbers } from '../random/dropout-stream';
import type { WasmContext } from './context';

/** A dropout as the arguments the WASM kernels share: threshold, scale, key and the counter's words. */
export function wasmDropoutArguments(
  random: TensorInfo | undefined,
  { rate, site }: { readonly rate: number; readonly site: number },
  wasm: WasmContext,
): Record<'threshold' | 'keepScale' | 'key0' | 'key1' | 'counter1' | 'counter2' | 'counter3', number> {
  const { threshold, keepScale } = dropoutNumbers(rate);
  const state = random === undefined ? [] : (wasm.backend.readSync(random.dataId) as Int32Array);
  const [key0 = 0, key1 = 0, step = 0, microBatch = 0] = state;
  return { threshold, keepScale, key0, key1, counter1: site, counter2: step, counter3: microBatch };
}
