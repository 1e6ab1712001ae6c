import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { blockwiseBounds } from '../formats/nearest';
import { createDynamicMap } from '../formats/dynamic-map';
import { openKernels, TestHeap, type TestedKernels } from './test-heap';

const STEPS = 8;
const BETAS = [0.9, 0.999] as const;

/** A float32 tensor out of a safetensors file: 8 bytes of length, a JSON header, the data. */
function reader(file: string): (name: string) => Float32Array {
  const bytes = readFileSync(file);
  const header = Number(bytes.readBigUInt64LE(0));
  const entries = JSON.parse(bytes.toString('utf8', 8, 8 + header)) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  return (name) => {
    const [from, to] = entries[name]!.data_offsets.map((offset) => 8 + header + offset) as [number, number];
    return new Float32Array(Uint8Array.from(bytes.subarray(from, to)).buffer);
  };
}

/** |found - wanted| beside |wanted|, ascending; parameters of std 0.1 that pass by zero are held to a tenth of that. */
function relativeErrors(found: Float32Array, wanted: Float32Array): Float64Array {
  return Float64Array.from(
    found,
    (value, i) => Math.abs(value - wanted[i]!) / Math.max(Math.abs(wanted[i]!), 0.01),
  ).sort();
}

describe('AdamW beside torch and bitsandbytes', () => {
  let tested: TestedKernels;
  let read: ReturnType<typeof reader>;
  beforeAll(async () => {
    tested = await openKernels();
    read = reader(goldenPath('optim.safetensors'));
  });

  const numbers = (step: number) =>
    [3e-3, ...BETAS, 1e-8, 0.05, 1 - BETAS[0] ** (step + 1), 1 - BETAS[1] ** (step + 1), 1] as const;

  it.each(['p0', 'p1', 'p2'])('adamw32 follows torch.optim.AdamW over 8 steps of %s', (name) => {
    const start = read(`init.${name}`);
    const n = start.length;
    TestHeap.use(tested, (heap) => {
      const [p, m, v] = [start, new Float32Array(n), new Float32Array(n)].map((values) => heap.inOut(values)) as [
        number,
        number,
        number,
      ];
      for (let step = 0; step < STEPS; step++) {
        tested.kernels.adamw32(p, heap.input(read(`grad.${name}.s${step}`)), m, v, n, ...numbers(step));
        const errors = relativeErrors(heap.floats(p, n), read(`adamw32.${name}.s${step}`));
        expect(errors[n - 1], `step ${step}`).toBeLessThan(2e-6);
      }
    });
  });

  // Tensors below 4,096 elements keep float32 states in bitsandbytes.
  it.each(['p0', 'p1'])('adamw8bit follows bitsandbytes’ AdamW8bit on a CPU over 8 steps of %s', (name) => {
    const start = read(`init.${name}`);
    const n = start.length;
    const blocks = Math.ceil(n / 256);
    const codes = [createDynamicMap({ signed: true }), createDynamicMap({ signed: false })];
    TestHeap.use(tested, (heap) => {
      const p = heap.inOut(start);
      const states = [heap.inOut(new Uint8Array(n)), heap.inOut(new Uint8Array(n))] as const;
      const absmax = [heap.inOut(new Float32Array(blocks)), heap.inOut(new Float32Array(blocks))] as const;
      const tables = [...codes, ...codes.map((code) => blockwiseBounds(code, 'grid'))].map((values) =>
        heap.input(values),
      );
      const scratch = heap.room(tested.kernels.adamw8bitScratchBytes());
      for (let step = 0; step < STEPS; step++) {
        tested.kernels.adamw8bit(
          p,
          heap.input(read(`grad.${name}.s${step}`)),
          ...states,
          ...absmax,
          ...(tables as [number, number, number, number]),
          1,
          n,
          ...numbers(step),
          scratch,
        );
        const errors = relativeErrors(heap.floats(p, n), read(`adamw8bit.${name}.s${step}`));
        expect(errors[Math.floor(0.999 * n)], `step ${step}`).toBeLessThan(1e-5);
      }
    });
  });
});
