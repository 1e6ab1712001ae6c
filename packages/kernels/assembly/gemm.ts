import { BLOCK_ROWS, PANEL_BYTES, PANEL_DEPTH, PANEL_SCRATCH_BYTES, packColumns, packRows, rowsTimesPanel, transposeBlock, withoutProduct } from './panel';
import { TILE_COLUMNS } from './tile';

/** Bytes of scratch `gemm` needs, whatever the sizes: a panel, a tile and, with transA, a block of A. */
export function gemmScratchBytes(transA: i32): i32 {
  return <i32>(PANEL_SCRATCH_BYTES + (transA ? 4 * <usize>BLOCK_ROWS * <usize>PANEL_DEPTH : 0));
}

/**
 * C[M,N] = alpha·op(A)·op(B) + beta·C + bias[N].
 * op(A) is A[M,K], or the transpose of A[K,M] with `transA`; op(B) is B[K,N], or the transpose of B[N,K] with `transB`.
 * `lda`, `ldb`, `ldc` are the floats from one stored row to the next. C is not read where beta is 0; bias 0 means none.
 * The sum over K runs in runs of 256, each in the order of k: the same bits whatever M, N and the tile.
 */
export function gemm(
  transA: i32, transB: i32, M: i32, N: i32, K: i32, alpha: f32, a: usize, lda: i32, b: usize, ldb: i32,
  beta: f32, c: usize, ldc: i32, bias: usize, scratch: usize,
): void {
  const pitchA = <usize>lda << 2, pitchB = <usize>ldb << 2, pitchC = <usize>ldc << 2;
  if (K <= 0) {
    withoutProduct(M, N, beta, c, pitchC, bias);
    return;
  }
  const panel = scratch, tile = scratch + PANEL_BYTES, block = scratch + PANEL_SCRATCH_BYTES;
  for (let i = 0; i < M; i += BLOCK_ROWS) {
    const rows = min(M - i, BLOCK_ROWS);
    for (let k = 0; k < K; k += PANEL_DEPTH) {
      const depth = min(K - k, PANEL_DEPTH);
      const first = k == 0;
      let rowsOfA = a + <usize>i * pitchA + (<usize>k << 2), pitch = pitchA;
      if (transA) {
        pitch = <usize>depth << 2;
        transposeBlock(a + <usize>k * pitchA + (<usize>i << 2), pitchA, rows, depth, block, pitch);
        rowsOfA = block;
      }
      for (let j = 0; j < N; j += TILE_COLUMNS) {
        const columns = min(N - j, TILE_COLUMNS);
        if (transB) packColumns(b + <usize>j * pitchB + (<usize>k << 2), pitchB, depth, columns, panel);
        else packRows(b + <usize>k * pitchB + (<usize>j << 2), pitchB, depth, columns, panel);
        rowsTimesPanel(
          rows, columns, depth, alpha, rowsOfA, pitch, panel, first ? beta : 1,
          c + <usize>i * pitchC + (<usize>j << 2), pitchC, first && bias ? bias + (<usize>j << 2) : 0, tile,
        );
      }
    }
  }
}
