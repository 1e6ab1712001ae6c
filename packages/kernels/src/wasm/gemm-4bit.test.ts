import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { codeTable } from '../formats/codes';
import { integers, normals } from '../testing/random-data';
import { expectWithin, openKernels, TestHeap, type TestedKernels } from './test-heap';

const code = codeTable('nf4');

interface Weight {
  readonly packed: Uint8Array;
  readonly absmax: Float32Array;
  /** fround(code·absmax), flattened. */
  readonly dense: Float32Array;
}

function randomWeight(seed: number, count: number, blocksize: number): Weight {
  const codes = integers(seed, count, 16);
  const packed = new Uint8Array(Math.ceil(count / 2));
  codes.forEach((value, i) => (packed[i >> 1]! |= i % 2 === 0 ? value << 4 : value));
  const absmax = normals(seed + 1, Math.ceil(count / blocksize)).map(Math.abs);
  return {
    packed,
    absmax,
    dense: Float32Array.from(codes, (value, i) => code[value]! * absmax[Math.floor(i / blocksize)]!),
  };
}

const blocksizes = fc.constantFrom(32, 64, 128, 256, 4096, 48, 5);
const problems = fc.record({
  transposed: fc.boolean(),
  M: fc.integer({ min: 1, max: 20 }),
  N: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(64, 300)),
  K: fc.oneof(fc.integer({ min: 1, max: 80 }), fc.constantFrom(64, 128, 257, 512)),
  blocksize: blocksizes,
  withBias: fc.boolean(),
  seed: fc.integer(),
});

describe('kernels on 4-bit weights', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  it('dequantizes every element to exactly fround(code·absmax)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), blocksizes, fc.integer(), (count, blocksize, seed) => {
        const { packed, absmax, dense } = randomWeight(seed, count, blocksize);
        TestHeap.use(tested, (heap) => {
          const out = heap.room(4 * count);
          const { kernels } = tested;
          kernels.dequantize4bit(heap.input(packed), count, heap.input(absmax), heap.input(code), blocksize, out);
          expect(heap.floats(out, count)).toEqual(dense);
        });
      }),
      { seed: 11, numRuns: 100 },
    );
  });

  it('multiplies with W and its transpose as float64 does with the dequantised weight, bias included', () => {
    fc.assert(
      fc.property(problems, ({ transposed, M, N, K, blocksize, withBias, seed }) => {
        const { packed, absmax, dense } = randomWeight(seed, N * K, blocksize);
        const inner = transposed ? N : K;
        const columns = transposed ? K : N;
        const a = normals(seed + 2, M * inner);
        const bias = normals(seed + 3, columns);
        const expected = new Float64Array(M * columns);
        const allowed = new Float64Array(M * columns);
        for (let i = 0; i < M; i++) {
          for (let j = 0; j < columns; j++) {
            let sum = withBias ? bias[j]! : 0;
            let magnitude = Math.abs(sum);
            for (let k = 0; k < inner; k++) {
              const term = a[i * inner + k]! * dense[transposed ? k * K + j : j * K + k]!;
              sum += term;
              magnitude += Math.abs(term);
            }
            expected[i * columns + j] = sum;
            allowed[i * columns + j] = 2 ** -24 * (inner + 4) * magnitude + 1e-37;
          }
        }
        TestHeap.use(tested, (heap) => {
          const c = heap.room(4 * M * columns);
          const { kernels } = tested;
          kernels.gemm4bit(
            Number(transposed),
            M,
            N,
            K,
            heap.input(a),
            heap.input(packed),
            heap.input(absmax),
            heap.input(code),
            blocksize,
            withBias ? heap.input(bias) : 0,
            c,
            heap.room(kernels.gemm4bitScratchBytes()),
          );
          expectWithin(heap.floats(c, M * columns), expected, allowed, 'gemm4bit');
        });
      }),
      { seed: 12, numRuns: 120 },
    );
  });

  it('gives the bits of gemm on the dequantised weight', () => {
    const [M, N, K, blocksize] = [70, 96, 320, 64];
    const { packed, absmax, dense } = randomWeight(5, N * K, blocksize);
    for (const transposed of [0, 1]) {
      const inner = transposed ? N : K;
      const columns = transposed ? K : N;
      const a = normals(6, M * inner);
      TestHeap.use(tested, (heap) => {
        const { kernels } = tested;
        const [quantised, plain, input] = [heap.room(4 * M * columns), heap.room(4 * M * columns), heap.input(a)];
        kernels.gemm4bit(
          transposed,
          M,
          N,
          K,
          input,
          heap.input(packed),
          heap.input(absmax),
          heap.input(code),
          blocksize,
          0,
          quantised,
          heap.room(kernels.gemm4bitScratchBytes()),
        );
        kernels.gemm(
          0,
          1 - transposed,
          M,
          columns,
          inner,
          1,
          input,
          inner,
          heap.input(dense),
          K,
          0,
          plain,
          columns,
          0,
          heap.room(kernels.gemmScratchBytes(0)),
        );
        expect(heap.floats(quantised, M * columns)).toEqual(heap.floats(plain, M * columns));
      });
    }
  });
});
