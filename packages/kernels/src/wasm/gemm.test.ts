import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { normals } from '../testing/random-data';
import { expectWithin, openKernels, TestHeap, type TestedKernels } from './test-heap';

interface Product {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly alpha: number;
  readonly beta: number;
  readonly withBias: boolean;
  /** Floats between the end of a stored row and the next one, of A, B and C. */
  readonly gaps: readonly [number, number, number];
  readonly seed: number;
}

/** C = alpha·op(A)·op(B) + beta·C + bias in float64, and how far float32 may lie from it. */
function reference(problem: Product, a: Float32Array, b: Float32Array, c: Float32Array, bias: Float32Array) {
  const { transA, transB, M, N, K, alpha, beta, withBias } = problem;
  const { lda, ldb, ldc } = strides(problem);
  const value = Float64Array.from(c);
  const allowed = new Float64Array(c.length);
  for (let i = 0; i < M; i++) {
    for (let j = 0; j < N; j++) {
      let sum = 0;
      let magnitude = 0;
      for (let k = 0; k < K; k++) {
        const term = a[transA ? k * lda + i : i * lda + k]! * b[transB ? j * ldb + k : k * ldb + j]!;
        sum += term;
        magnitude += Math.abs(term);
      }
      const old = beta === 0 ? 0 : beta * c[i * ldc + j]!;
      const shift = withBias ? bias[j]! : 0;
      value[i * ldc + j] = alpha * sum + old + shift;
      allowed[i * ldc + j] =
        2 ** -24 * ((K + 4) * Math.abs(alpha) * magnitude + 4 * (Math.abs(old) + Math.abs(shift))) + 1e-37;
    }
  }
  return { value, allowed };
}

function strides({ transA, transB, M, N, K, gaps }: Product) {
  return { lda: (transA ? M : K) + gaps[0], ldb: (transB ? K : N) + gaps[1], ldc: N + gaps[2] };
}

const size = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.constantFrom(64, 77, 130));
const problems: fc.Arbitrary<Product> = fc.record({
  transA: fc.boolean(),
  transB: fc.boolean(),
  M: size,
  N: size,
  K: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 0, max: 40 }) }, fc.constantFrom(255, 256, 257, 600)),
  alpha: fc.constantFrom(1, -0.75, 2),
  beta: fc.constantFrom(0, 1, 0.5),
  withBias: fc.boolean(),
  gaps: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)),
  seed: fc.integer(),
});

describe('gemm', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  function run(problem: Product): void {
    const { transA, transB, M, N, K, alpha, beta, withBias, seed } = problem;
    const { lda, ldb, ldc } = strides(problem);
    const a = normals(seed, (transA ? K : M) * lda);
    const b = normals(seed + 1, (transB ? N : K) * ldb);
    const bias = normals(seed + 2, N);
    // The gaps of C must keep what they hold; with beta 0 C starts as NaN, which must not show.
    const c = normals(seed + 3, M * ldc);
    if (beta === 0) for (let i = 0; i < M; i++) c.fill(NaN, i * ldc, i * ldc + N);
    const { value, allowed } = reference(problem, a, b, c, bias);
    TestHeap.use(tested, (heap) => {
      const out = heap.inOut(c);
      const { kernels } = tested;
      const scratch = heap.room(kernels.gemmScratchBytes(Number(transA)));
      kernels.gemm(
        Number(transA),
        Number(transB),
        M,
        N,
        K,
        alpha,
        heap.input(a),
        lda,
        heap.input(b),
        ldb,
        beta,
        out,
        ldc,
        withBias ? heap.input(bias) : 0,
        scratch,
      );
      expectWithin(heap.floats(out, M * ldc), value, allowed, `gemm ${JSON.stringify(problem)}`);
    });
  }

  it('agrees with float64 for all transposes, ragged sizes, strides, alpha, beta and bias', () => {
    fc.assert(fc.property(problems, run), { seed: 7, numRuns: 150 });
  });

  it('passes from one block of rows to the next', () => {
    for (const transA of [false, true]) {
      run({ transA, transB: true, M: 1030, N: 9, K: 270, alpha: 1, beta: 0, withBias: true, gaps: [0, 1, 0], seed: 3 });
    }
  });

  it('gives a row the same bits whatever rows and columns stand beside it', () => {
    const K = 300;
    const a = normals(1, 9 * K);
    const b = normals(2, K * 21);
    const product = (M: number, N: number): Float32Array =>
      TestHeap.use(tested, (heap) => {
        const c = heap.room(4 * M * N);
        const scratch = heap.room(tested.kernels.gemmScratchBytes(0));
        tested.kernels.gemm(0, 0, M, N, K, 1, heap.input(a), K, heap.input(b), 21, 0, c, N, 0, scratch);
        return heap.floats(c, M * N);
      });
    const large = product(9, 21);
    const small = product(3, 5);
    for (let i = 0; i < 3; i++) expect(small.slice(i * 5, i * 5 + 5)).toEqual(large.slice(i * 21, i * 21 + 5));
  });
});
