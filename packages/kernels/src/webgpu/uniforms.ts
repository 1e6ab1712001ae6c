const converter = new DataView(new ArrayBuffer(4));

/** An unsigned integer as a word of a uniform struct. */
export const u32 = (value: number): number => value >>> 0;

/** A signed integer as a word of a uniform struct. */
export const i32 = (value: number): number => value >>> 0;

/** A float as a word of a uniform struct: its float32 bits. */
export function f32(value: number): number {
  converter.setFloat32(0, value);
  return converter.getUint32(0);
}

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
