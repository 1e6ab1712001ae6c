import { LANES } from './subgroup-matrix';

/** GPUAdapterInfo with what the experimental subgroup matrices add to it. */
interface MatrixAdapterInfo {
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly M: number;
    readonly N: number;
    readonly K: number;
    readonly componentType: string;
    readonly resultComponentType: string;
  }>;
}

const matrices = new WeakMap<GPUDevice, boolean>();
const adapters = new WeakMap<GPUDevice, MatrixAdapterInfo>();

/** Notes what a device's adapter says of itself: in Node, the device leaves the subgroup matrices out. */
export function noteAdapter(device: GPUDevice, info: GPUAdapterInfo): void {
  adapters.set(device, info);
}

/**
 * Whether a device multiplies 16 x 16 x 16 subgroup matrices of f16 with sums in f32, in subgroups of 32 lanes and no
 * others: the shaders number subgroups by the thread.
 */
export function hasSubgroupMatrices(device: GPUDevice): boolean {
  let known = matrices.get(device);
  if (known === undefined) {
    const info: MatrixAdapterInfo = adapters.get(device) ?? device.adapterInfo;
    const features: ReadonlySet<string> = device.features;
    const wanted = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
    known =
      wanted.every((name) => features.has(name)) &&
      info.subgroupMinSize === LANES &&
      info.subgroupMaxSize === LANES &&
      [...(info.subgroupMatrixConfigs ?? [])].some(
        ({ M, N, K, componentType, resultComponentType }) =>
          M === 16 && N === 16 && K === 16 && componentType === 'f16' && resultComponentType === 'f32',
      );
    matrices.set(device, known);
  }
  return known;
}
