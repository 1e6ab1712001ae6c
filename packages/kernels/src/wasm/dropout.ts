import type { TensorInfo } from '@tensorflow/tfjs-core';
import { dropoutNumbers, RANDOM_HEADER } from '../random/dropout-stream';
import type { WasmContext } from './context';

/** A dropout as the arguments the WASM kernels share: threshold, scale, key, the counter's words, where the rows' numbers lie. */
export function wasmDropoutArguments(
  random: TensorInfo | undefined,
  { rate, site }: { readonly rate: number; readonly site: number },
  wasm: WasmContext,
): Record<'threshold' | 'keepScale' | 'key0' | 'key1' | 'counter1' | 'counter2' | 'rowNumbers', number> {
  const { threshold, keepScale } = dropoutNumbers(rate);
  const numbers = { threshold, keepScale, counter1: site };
  if (random === undefined) return { ...numbers, key0: 0, key1: 0, counter2: 0, rowNumbers: 0 };
  const [key0 = 0, key1 = 0, step = 0] = wasm.backend.readSync(random.dataId) as Int32Array;
  return { ...numbers, key0, key1, counter2: step, rowNumbers: wasm.pointer(random) + 4 * RANDOM_HEADER };
}
