import { getKernel, Identity, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/**
 * Has clones on wasm share the data of what they are clones of, as on tfjs' other backends; tfjs-backend-wasm copies it.
 * tfjs' tape clones all that an op saves for its gradient, so a training step copied every activation it keeps.
 */
export function shareWasmClones(): void {
  const copying = getKernel(Identity, 'wasm');
  if (copying === undefined || copying.kernelFunc === shareData) return;
  unregisterKernel(Identity, 'wasm');
  registerKernel({ ...copying, kernelFunc: shareData });
}

type KernelFunc = NonNullable<ReturnType<typeof getKernel>>['kernelFunc'];

const shareData: KernelFunc = ({ inputs, backend }) => {
  const x = inputs['x']!;
  (backend as BackendWasm).incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
};
