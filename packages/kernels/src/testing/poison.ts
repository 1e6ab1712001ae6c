import { engine, fill, memory, type Tensor } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { expect } from 'vitest';
import type { TestBackend } from './backends';

/** A NaN whose every byte is 255, so that poisoned bytes read as integers stand out too. */
const POISON_BYTE = 0xff;

export type Values = Float32Array | Int32Array;

/** Writes NaN into every GPU buffer that waits for reuse. */
function poisonFreeBuffers(backend: WebGPUBackend): void {
  const { freeBuffers } = backend.bufferManager as unknown as { freeBuffers: Map<string, GPUBuffer[]> };
  for (const buffer of [...freeBuffers.values()].flat()) {
    if ((buffer.usage & GPUBufferUsage.STORAGE) === 0) continue;
    backend.queue.writeBuffer(buffer, 0, new Uint8Array(buffer.size).fill(POISON_BYTE));
  }
}

/** Leaves NaN in heap that the next outputs of these sizes are likely to be given. */
function poisonHeap(sizes: readonly number[]): void {
  const held = sizes.flatMap((size) => [fill([size], NaN), fill([size], NaN)]);
  for (const tensor of held) tensor.dispose();
}

/**
 * Runs an op twice, the second time with NaN in all memory that waits for reuse, and returns the second results'
 * values. A kernel that leaves an element unwritten, reads outside its inputs or adds in an order of its own fails:
 * both runs must agree bit by bit. Nor may a tensor be left behind.
 */
export async function runPoisoned(backend: TestBackend, run: () => Tensor[]): Promise<Values[]> {
  const before = memory().numTensors;
  const first = await readAndDispose(engine().tidy(run));
  if (backend.name === 'webgpu') poisonFreeBuffers(backend.device.tfjsBackend as WebGPUBackend);
  else poisonHeap(first.map((values) => values.length));
  const second = await readAndDispose(engine().tidy(run));
  expect(memory().numTensors, 'tensors left behind').toBe(before);
  second.forEach((values, output) => {
    const same = values.every((value, i) => Object.is(value, first[output]![i]));
    expect(same, `output ${output} came out equal in two runs on ${backend.name}`).toBe(true);
  });
  return second;
}

async function readAndDispose(tensors: Tensor[]): Promise<Values[]> {
  const values: Values[] = [];
  // On the CPU backend `data` may be the tensor's own memory.
  for (const tensor of tensors) values.push((await tensor.data<'float32' | 'int32'>()).slice());
  for (const tensor of new Set(tensors)) tensor.dispose();
  return values;
}
