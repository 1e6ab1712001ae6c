import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { dropoutNumbers, RANDOM_HEADER, randomWords } from '../random/dropout-stream';
import { attentionBackwardReference, attentionReference, type AttentionProblem } from '../ops/attention/reference';
import { NO_KEYS_LSE } from '../ops/attention/types';
import { normals } from '../testing/random-data';
import { expectWithin, openKernels, TestHeap, type TestedKernels } from './test-heap';

/** A sequence and the uncovered rows before it. */
interface Piece {
  readonly gap: number;
  readonly rowCount: number;
  /** As parts of rowCount; keyStart may lie behind keyEnd. */
  readonly keys: readonly [number, number];
}

interface Case {
  readonly pieces: readonly Piece[];
  readonly heads: number;
  /** Heads of queries to one of keys. */
  readonly group: number;
  readonly headSize: number;
  readonly rate: number;
  readonly extraStride: number;
  readonly seed: number;
}

const part = fc.integer({ min: 0, max: 12 }).map((twelfths) => twelfths / 12);
const pieces: fc.Arbitrary<Piece> = fc.record({
  gap: fc.constantFrom(0, 0, 1, 3),
  rowCount: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(33, 50)),
  keys: fc.oneof(fc.constant([0, 1] as const), fc.tuple(part, part)),
});
const cases: fc.Arbitrary<Case> = fc.record({
  pieces: fc.array(pieces, { minLength: 1, maxLength: 3 }),
  heads: fc.integer({ min: 1, max: 3 }),
  group: fc.constantFrom(1, 1, 2, 3),
  headSize: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(16, 64)),
  rate: fc.constantFrom(0, 0.1, 0.5),
  extraStride: fc.nat(5),
  seed: fc.nat(1e6),
});

function problemOf({ pieces, heads: keyValueHeads, group, headSize, rate, extraStride, seed }: Case): AttentionProblem {
  let rows = 0;
  const heads = keyValueHeads * group;
  const sequences = pieces.flatMap(({ gap, rowCount, keys }) => {
    const rowStart = rows + gap;
    rows = rowStart + rowCount;
    return [rowStart, rowCount, Math.round(keys[0] * rowCount), Math.round(keys[1] * rowCount)];
  });
  rows += 1;
  return {
    qkv: normals(seed, rows * (heads + 2 * keyValueHeads) * headSize),
    rows,
    heads,
    keyValueHeads,
    headSize,
    scale: 1 / Math.sqrt(headSize),
    sequences,
    keyStride: Math.max(...pieces.map(({ rowCount }) => rowCount)) + extraStride,
    ...(rate > 0
      ? {
          dropout: {
            rate,
            site: 7,
            random: randomWords(
              { seed, step: 11 },
              Array.from({ length: rows }, (_, row) => 2 * row - 5),
            ),
          },
        }
      : {}),
  };
}

/** What the kernels take between the pointers. */
function numbers({ dropout, keyStride, rows }: AttentionProblem, heap: TestHeap) {
  const words = Int32Array.from(dropout?.random ?? new Int32Array(RANDOM_HEADER + rows));
  const [key0 = 0, key1 = 0, step = 0] = words;
  const rowNumbers = heap.input(words.slice(RANDOM_HEADER));
  const { threshold, keepScale } = dropoutNumbers(dropout?.rate ?? 0);
  return [threshold, keepScale, key0, key1, dropout?.site ?? 0, step, rowNumbers, keyStride] as const;
}

describe('attention', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  function run(problem: AttentionProblem, dy: Float32Array) {
    const { rows, heads, keyValueHeads = heads, headSize, scale } = problem;
    const columns = heads * headSize;
    const width = columns + 2 * keyValueHeads * headSize;
    const count = problem.sequences.length / 4;
    const longest = Math.max(...Array.from({ length: count }, (_, s) => problem.sequences[4 * s + 1]!));
    return TestHeap.use(tested, (heap) => {
      const { kernels } = tested;
      const qkv = heap.input(Float32Array.from(problem.qkv));
      const sequences = heap.input(Int32Array.from(problem.sequences));
      const out = heap.room(4 * rows * columns);
      const lse = heap.room(4 * rows * heads);
      kernels.attention(
        qkv,
        rows,
        sequences,
        count,
        heads,
        keyValueHeads,
        headSize,
        scale,
        ...numbers(problem, heap),
        out,
        lse,
        heap.room(kernels.attentionScratchBytes(longest, headSize)),
      );
      const dqkv = heap.room(4 * rows * width);
      kernels.attentionBackward(
        heap.input(dy),
        qkv,
        out,
        lse,
        rows,
        sequences,
        count,
        heads,
        keyValueHeads,
        headSize,
        scale,
        ...numbers(problem, heap),
        dqkv,
        heap.room(kernels.attentionBackwardScratchBytes(longest, headSize)),
      );
      return {
        out: heap.floats(out, rows * columns),
        lse: heap.floats(lse, rows * heads),
        dqkv: heap.floats(dqkv, rows * width),
      };
    });
  }

  it('agrees with float64, forward and backward: ragged sequences, key ranges, dropout, uncovered rows', () => {
    fc.assert(
      fc.property(cases, (chosen) => {
        const problem = problemOf(chosen);
        const dy = normals(chosen.seed + 1, problem.rows * problem.heads * problem.headSize);
        const { out, dqkv } = run(problem, dy);
        expectWithin(out, attentionReference(problem), 1e-5, 'out');
        expectWithin(dqkv, attentionBackwardReference(problem, dy), 1e-4, 'dqkv');
      }),
      { seed: 71, numRuns: 120 },
    );
  });

  it('holds log-sum-exp of the scores a row sees, and 1e30 for a row that sees none', () => {
    const [rows, heads, headSize] = [5, 2, 3];
    const columns = heads * headSize;
    const qkv = normals(9, rows * 3 * columns);
    const sequences = [0, 4, 1, 3];
    const problem = { qkv, rows, heads, headSize, scale: 0.5, sequences, keyStride: 4 };
    const { lse, out } = run(problem, new Float32Array(rows * columns));
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < rows; i++) {
        let sum = 0;
        for (let j = 1; j <= Math.min(i, 2) && i < 4; j++) {
          let score = 0;
          for (let d = 0; d < headSize; d++) {
            score +=
              0.5 * qkv[i * 3 * columns + h * headSize + d]! * qkv[j * 3 * columns + columns + h * headSize + d]!;
          }
          sum += Math.exp(score);
        }
        const expected = sum === 0 ? NO_KEYS_LSE : Math.log(sum);
        expect(Math.abs(lse[i * heads + h]! / expected - 1)).toBeLessThan(1e-5);
      }
    }
    expect(out.slice(0, columns)).toEqual(new Float32Array(columns));
  });

  it('gives a sequence the same bits whatever stands beside it', () => {
    const alone = problemOf({
      pieces: [{ gap: 0, rowCount: 14, keys: [0, 1] }],
      heads: 2,
      group: 1,
      headSize: 8,
      rate: 0.1,
      extraStride: 0,
      seed: 4,
    });
    const beside = {
      ...alone,
      rows: 31,
      qkv: [...Array.from(alone.qkv).slice(0, 14 * 48), ...normals(5, 17 * 48)],
      sequences: [14, 13, 2, 10, 0, 14, 0, 14],
    };
    const dy = normals(6, 31 * 16);
    const first = run(alone, dy.slice(0, 15 * 16));
    const second = run(beside, dy);
    expect(second.out.slice(0, 14 * 16)).toEqual(first.out.slice(0, 14 * 16));
    expect(second.dqkv.slice(0, 14 * 48)).toEqual(first.dqkv.slice(0, 14 * 48));
  });
});
