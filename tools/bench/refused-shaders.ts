import { announceGpu, webgpuPackage } from '../../packages/kernels/src/testing/paper-gpu';

/** What the limits of Dawn's own backend are too low for; an H200's are looked at instead. */
const LIMITS = /(total use of workgroup storage|number of storage buffers) \((\d+)/;
const LARGEST: Readonly<Record<string, number>> = {
  'total use of workgroup storage': 49_152,
  'number of storage buffers': 16,
};

const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'] as unknown as GPUFeatureName[];

/** Shaders that Dawn's compiler refuses, on its backend that has every feature and no GPU. */
export async function refusedShaders(
  shaders: readonly { readonly label: string; readonly code: string }[],
  addon?: string,
): Promise<{ readonly label: string; readonly reason: string }[]> {
  const dawn = webgpuPackage(addon);
  const gpu = dawn.create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  announceGpu(gpu, dawn);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("Dawn's null backend has no adapter");
  const device = await adapter.requestDevice({ requiredFeatures: FEATURES });
  const refused: { label: string; reason: string }[] = [];
  for (const { label, code } of shaders) {
    // tfjs' shaders call theirs _start.
    const entryPoint = /fn _start\b/.test(code) ? '_start' : 'main';
    device.pushErrorScope('validation');
    device.createComputePipeline({
      layout: 'auto',
      compute: { module: device.createShaderModule({ label, code }), entryPoint },
    });
    const error = await device.popErrorScope();
    if (error === null) continue;
    const [, what, amount] = LIMITS.exec(error.message) ?? [];
    if (what === undefined || Number(amount) > LARGEST[what]!) refused.push({ label, reason: error.message });
  }
  return refused;
}
