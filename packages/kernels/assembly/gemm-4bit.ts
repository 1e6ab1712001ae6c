import { dequantizeColumns, dequantizeRun } from './four-bit';
import { BLOCK_ROWS, PANEL_BYTES, PANEL_DEPTH, PANEL_PITCH, PANEL_SCRATCH_BYTES, packColumns, rowsTimesPanel, withoutProduct } from './panel';
import { TILE_COLUMNS } from './tile';

/** Bytes of scratch `gemm4bit` needs, whatever the sizes: a panel, a tile and 16 dequantised runs of a panel's depth. */
export function gemm4bitScratchBytes(): i32 {
  return <i32>(PANEL_SCRATCH_BYTES + PANEL_BYTES);
}

/**
 * C[M,N] = A[M,K]·Wᵀ + bias[N], or with `transposed` C[M,K] = A[M,N]·W + bias[K], for W[N,K] in 4 bits: packed two to a
 * byte over the flattened rows, absmax[ceil(N·K / blocksize)], code[16]. bias 0 means none. W is dequantised a panel of
 * 16 columns by 256 at a time, so no more than 32 KiB of it exist at once. The same sums as `gemm` of the dense W.
 */
export function gemm4bit(
  transposed: i32, M: i32, N: i32, K: i32, a: usize, packed: usize, absmax: usize, code: usize, blocksize: i32,
  bias: usize, c: usize, scratch: usize,
): void {
  const columnsOfC = transposed ? K : N, inner = transposed ? N : K;
  const pitchA = <usize>inner << 2, pitchC = <usize>columnsOfC << 2;
  if (inner <= 0) {
    withoutProduct(M, columnsOfC, 0, c, pitchC, bias);
    return;
  }
  const panel = scratch, tile = scratch + PANEL_BYTES, runs = scratch + PANEL_SCRATCH_BYTES;
  const aligned = K % 16 == 0 && blocksize % 16 == 0 && popcnt(blocksize) == 1;
  for (let i = 0; i < M; i += BLOCK_ROWS) {
    const rows = min(M - i, BLOCK_ROWS);
    for (let k = 0; k < inner; k += PANEL_DEPTH) {
      const depth = min(inner - k, PANEL_DEPTH), first = k == 0;
      for (let j = 0; j < columnsOfC; j += TILE_COLUMNS) {
        const columns = min(columnsOfC - j, TILE_COLUMNS);
        if (!transposed) {
          for (let r = 0; r < columns; r++) {
            const start = <u32>(j + r) * <u32>K + <u32>k;
            dequantizeRun(packed, absmax, code, blocksize, start, depth, runs + <usize>(r * PANEL_DEPTH << 2));
          }
          packColumns(runs, <usize>(PANEL_DEPTH << 2), depth, columns, panel);
        } else if (aligned) {
          dequantizeColumns(packed, absmax, code, blocksize, k, depth, j, K, panel);
        } else {
          for (let r = 0; r < depth; r++) {
            const row = panel + <usize>r * PANEL_PITCH;
            if (columns < TILE_COLUMNS) memory.fill(row, 0, PANEL_PITCH);
            dequantizeRun(packed, absmax, code, blocksize, <u32>(k + r) * <u32>K + <u32>j, columns, row);
          }
        }
        rowsTimesPanel(
          rows, columns, depth, 1, a + <usize>i * pitchA + (<usize>k << 2), pitchA, panel, first ? 0 : 1,
          c + <usize>i * pitchC + (<usize>j << 2), pitchC, first && bias ? bias + (<usize>j << 2) : 0, tile,
        );
      }
    }
  }
}
