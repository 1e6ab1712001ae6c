/** Beyond this many, new words get buffers that nobody shares. */
const SHARED_BUFFERS = 1 << 14;

const shared = new WeakMap<GPUDevice, Map<string, GPUBuffer>>();

/**
 * A uniform buffer of these words, shared by all dispatches that need the same: shapes repeat from step to step, and
 * a buffer that is never rewritten can stand in a recorded bind group for good.
 */
export function uniformBuffer(device: GPUDevice, words: readonly number[]): GPUBuffer {
  let buffers = shared.get(device);
  if (buffers === undefined) shared.set(device, (buffers = new Map<string, GPUBuffer>()));
  const key = words.join(' ');
  let buffer = buffers.get(key);
  if (buffer === undefined) {
    buffer = device.createBuffer({
      label: 'uniforms',
      size: Math.max(16, words.length * 4),
      usage: GPUBufferUsage.UNIFORM,
      mappedAtCreation: true,
    });
    new Uint32Array(buffer.getMappedRange()).set(words);
    buffer.unmap();
    if (buffers.size < SHARED_BUFFERS) buffers.set(key, buffer);
  }
  return buffer;
}
