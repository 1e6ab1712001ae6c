import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { blockwiseBounds, type Nearest } from '../formats/nearest';
import { quantizeBlockwiseReference } from '../ops/blockwise8bit/reference';
import { createDynamicMap } from '../formats/dynamic-map';
import { normals } from '../testing/random-data';
import { openKernels, TestHeap, type TestedKernels } from './test-heap';

const { fround, sqrt } = Math;
const code1 = createDynamicMap({ signed: true });
const code2 = createDynamicMap({ signed: false });
const BLOCKSIZE = 256;

interface Hyperparameters {
  readonly lr: number;
  readonly b1: number;
  readonly b2: number;
  readonly eps: number;
  readonly wd: number;
  readonly gradScale: number;
}

const hyperparameters: fc.Arbitrary<Hyperparameters> = fc.record({
  lr: fc.constantFrom(1e-3, 3e-2),
  b1: fc.constantFrom(0.9, 0.5),
  b2: fc.constantFrom(0.999, 0.95),
  eps: fc.constantFrom(1e-8, 1e-6),
  wd: fc.constantFrom(0, 0.01, 0.3),
  gradScale: fc.constantFrom(1, 0.37),
});

interface Scalars {
  readonly decay: number;
  readonly stepSize: number;
  readonly root2: number;
  readonly eps: number;
}

function scalars({ lr, b1, b2, eps, wd }: Hyperparameters, t: number): Scalars {
  return {
    decay: fround(1 - lr * wd),
    stepSize: fround(-lr / (1 - b1 ** t)),
    root2: fround(sqrt(1 - b2 ** t)),
    eps: fround(eps),
  };
}

/** Everything below rounds each operation to float32, in the order of the kernels' comments. */
const meanSquare = (v: number, g: number, b2: number) =>
  fround(fround(v * fround(b2)) + fround(fround(fround(1 - b2) * g) * g));
const stepped = (p: number, m: number, v: number, { decay, stepSize, root2, eps }: Scalars) =>
  fround(fround(p * decay) + fround(fround(stepSize * m) / fround(fround(fround(sqrt(v)) / root2) + eps)));

const arguments_ = ({ lr, b1, b2, eps, wd, gradScale }: Hyperparameters, t: number) =>
  [lr, b1, b2, eps, wd, 1 - b1 ** t, 1 - b2 ** t, gradScale] as const;

describe('AdamW', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  it('with float32 moments is exactly float32 arithmetic in torch’s order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), hyperparameters, fc.integer(), (n, chosen, seed) => {
        const { b1, b2, gradScale } = chosen;
        const [p, m, v] = [normals(seed, n), new Float32Array(n), new Float32Array(n)];
        TestHeap.use(tested, (heap) => {
          const [pp, pm, pv] = [heap.inOut(p), heap.inOut(m), heap.inOut(v)];
          for (let t = 1; t <= 4; t++) {
            const g = normals(seed + t, n, 0.1);
            tested.kernels.adamw32(pp, heap.input(g), pm, pv, n, ...arguments_(chosen, t));
            for (let i = 0; i < n; i++) {
              const grad = fround(g[i]! * fround(gradScale));
              m[i] = fround(m[i]! + fround(fround(1 - b1) * fround(grad - m[i]!)));
              v[i] = meanSquare(v[i]!, grad, b2);
              p[i] = stepped(p[i]!, m[i]!, v[i]!, scalars(chosen, t));
            }
          }
          expect(heap.floats(pp, n)).toEqual(p);
          expect(heap.floats(pm, n)).toEqual(m);
          expect(heap.floats(pv, n)).toEqual(v);
        });
      }),
      { seed: 81, numRuns: 60 },
    );
  });

  it('with 8-bit moments is exactly float32 arithmetic on dequantised states, in either order of decay', () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(512, 601));
    const kinds = fc.constantFrom<Nearest>('exact', 'grid');
    fc.assert(
      fc.property(sizes, hyperparameters, kinds, fc.integer(), (n, chosen, nearest, seed) => {
        const { b1, b2, gradScale } = chosen;
        const blocks = Math.ceil(n / BLOCKSIZE);
        const p = normals(seed, n);
        let first = { codes: new Uint8Array(n), absmax: new Float32Array(blocks) };
        let second = { codes: new Uint8Array(n), absmax: new Float32Array(blocks) };
        TestHeap.use(tested, (heap) => {
          const { kernels } = tested;
          const pp = heap.inOut(p);
          const states = [heap.inOut(first.codes), heap.inOut(second.codes)] as const;
          const absmax = [heap.inOut(first.absmax), heap.inOut(second.absmax)] as const;
          const tables = [
            ...[code1, code2].map((code) => heap.input(code)),
            ...[code1, code2].map((code) => heap.input(blockwiseBounds(code, nearest))),
          ] as [number, number, number, number];
          const scratch = heap.room(kernels.adamw8bitScratchBytes());
          for (let t = 1; t <= 3; t++) {
            const g = normals(seed + t, n, 0.1);
            if (t === 2) g[n >> 1] = [NaN, Infinity, -Infinity][n % 3]!;
            kernels.adamw8bit(
              pp,
              heap.input(g),
              ...states,
              ...absmax,
              ...tables,
              Number(nearest === 'grid'),
              n,
              ...arguments_(chosen, t),
              scratch,
            );
            const [m, v] = [new Float32Array(n), new Float32Array(n)];
            for (let i = 0; i < n; i++) {
              const grad = fround(g[i]! * fround(gradScale));
              if (!Number.isFinite(grad)) continue;
              const block = Math.floor(i / BLOCKSIZE);
              const oldM = fround(code1[first.codes[i]!]! * first.absmax[block]!);
              const oldV = fround(code2[second.codes[i]!]! * second.absmax[block]!);
              m[i] = fround(fround(oldM * fround(b1)) + fround(fround(1 - b1) * grad));
              v[i] = meanSquare(oldV, grad, b2);
              const constants = scalars(chosen, t);
              p[i] =
                nearest === 'grid'
                  ? stepped(p[i]!, m[i]!, v[i]!, constants)
                  : stepped(p[i]!, m[i]!, v[i]!, { ...constants, decay: 1 }) * constants.decay;
            }
            first = quantizeBlockwiseReference(m, code1, BLOCKSIZE, nearest) as typeof first;
            second = quantizeBlockwiseReference(v, code2, BLOCKSIZE, nearest) as typeof second;
          }
          expect(heap.floats(pp, n)).toEqual(p);
          expect(heap.bytes(states[0], n)).toEqual(first.codes);
          expect(heap.bytes(states[1], n)).toEqual(second.codes);
          expect(heap.floats(absmax[0], blocks)).toEqual(first.absmax);
          expect(heap.floats(absmax[1], blocks)).toEqual(second.absmax);
        });
      }),
      { seed: 82, numRuns: 60 },
    );
  });

  it('quantizes blocks to the reference’s bytes, values on the bounds included, and back', () => {
    const sizes = fc.integer({ min: 1, max: 700 });
    const blocksizes = fc.constantFrom(64, 256, 100);
    fc.assert(
      fc.property(
        sizes,
        blocksizes,
        fc.constantFrom<Nearest>('exact', 'grid'),
        fc.integer(),
        (n, blocksize, nearest, seed) => {
          const x = normals(seed, n);
          // Levels, midpoints of levels, and a block of zeros.
          x.forEach((_, i) => {
            if (i % 3 === 0) x[i] = code1[(i * 7) % 256]!;
            if (i % 3 === 1) x[i] = (code1[(i * 5) % 255]! + code1[((i * 5) % 255) + 1]!) / 2;
          });
          x.fill(0, 64, 200);
          const expected = quantizeBlockwiseReference(x, code1, blocksize, nearest);
          const blocks = expected.absmax.length;
          TestHeap.use(tested, (heap) => {
            const { kernels } = tested;
            const [quantized, absmax, out] = [heap.room(n), heap.room(4 * blocks), heap.room(4 * n)];
            const bounds = heap.input(blockwiseBounds(code1, nearest));
            kernels.quantizeBlockwise(
              heap.input(x),
              n,
              blocksize,
              bounds,
              Number(nearest === 'grid'),
              quantized,
              absmax,
            );
            expect(heap.bytes(quantized, n)).toEqual(expected.codes);
            expect(heap.floats(absmax, blocks)).toEqual(expected.absmax);
            kernels.dequantizeBlockwise(quantized, n, heap.input(code1), blocksize, absmax, out);
            const values = Float32Array.from(
              expected.codes,
              (at, i) => code1[at]! * expected.absmax[Math.floor(i / blocksize)]!,
            );
            expect(heap.floats(out, n)).toEqual(values);
          });
        },
      ),
      { seed: 83, numRuns: 60 },
    );
  });
});
