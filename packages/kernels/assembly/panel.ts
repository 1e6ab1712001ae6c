// Panels: the pieces of B a product is made from, and the product of a block of rows of A with one of them.
// A panel is packed just before its use and stays in the first-level cache while every row tile passes over it, so the
// scratch is a few kilobytes and a quantised B can be dequantised while it is packed.
import { TILE_COLUMNS, TILE_ROWS, tileOfRows } from './tile';

/** Depth (K) of a panel: 16 columns of 256 floats are 16 KiB, half of a usual first-level cache. */
export const PANEL_DEPTH: i32 = 256;
/** Rows of A that pass over a panel before the next one: 512 rows of 256 floats are 512 KiB, half of a usual L2. */
export const BLOCK_ROWS: i32 = 512;
const TILE_BYTES: usize = 128;
/** Bytes of a row of a panel. */
export const PANEL_PITCH: usize = 4 * <usize>TILE_COLUMNS;
export const PANEL_BYTES: usize = PANEL_PITCH * <usize>PANEL_DEPTH;
/** Scratch of a product whose A is not packed: one panel and the tile of the ragged edges. */
export const PANEL_SCRATCH_BYTES: usize = PANEL_BYTES + TILE_BYTES;

// @ts-ignore: decorator
@inline
function low(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

// @ts-ignore: decorator
@inline
function high(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}

/** Writes the transpose of the 4x4 floats in r0..r3 as rows `pitch` bytes apart. */
// @ts-ignore: decorator
@inline
export function storeTransposed4(r0: v128, r1: v128, r2: v128, r3: v128, target: usize, pitch: usize): void {
  const a = low(r0, r2), b = low(r1, r3), c = high(r0, r2), d = high(r1, r3);
  v128.store(target, low(a, b));
  v128.store(target + pitch, high(a, b));
  v128.store(target + 2 * pitch, low(c, d));
  v128.store(target + 3 * pitch, high(c, d));
}

/** panel[k][16] from `depth` rows of B, `pitch` bytes apart, 16 (or `columns` < 16, then zeros) floats of each. */
export function packRows(source: usize, pitch: usize, depth: i32, columns: i32, panel: usize): void {
  if (columns == TILE_COLUMNS) {
    for (let k = 0; k < depth; k++) {
      v128.store(panel, v128.load(source));
      v128.store(panel, v128.load(source, 16), 16);
      v128.store(panel, v128.load(source, 32), 32);
      v128.store(panel, v128.load(source, 48), 48);
      source += pitch;
      panel += PANEL_PITCH;
    }
    return;
  }
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < TILE_COLUMNS; j++) {
      store<f32>(panel + (<usize>j << 2), j < columns ? load<f32>(source + (<usize>j << 2)) : 0);
    }
    source += pitch;
    panel += PANEL_PITCH;
  }
}

/** panel[k][16] from 16 (or `columns` < 16, then zeros) rows of Bᵀ, `pitch` bytes apart, `depth` floats of each. */
export function packColumns(source: usize, pitch: usize, depth: i32, columns: i32, panel: usize): void {
  const whole = depth & ~3;
  for (let j = 0; j < TILE_COLUMNS; j += 4) {
    const row = source + <usize>j * pitch, target = panel + (<usize>j << 2);
    if (j + 4 <= columns) {
      for (let k = 0; k < whole; k += 4) {
        const p = row + (<usize>k << 2);
        storeTransposed4(
          v128.load(p), v128.load(p + pitch), v128.load(p + 2 * pitch), v128.load(p + 3 * pitch),
          target + <usize>k * PANEL_PITCH, PANEL_PITCH,
        );
      }
    }
    for (let k = j + 4 <= columns ? whole : 0; k < depth; k++) {
      for (let i = 0; i < 4; i++) {
        const value: f32 = j + i < columns ? load<f32>(row + <usize>i * pitch + (<usize>k << 2)) : 0;
        store<f32>(target + <usize>k * PANEL_PITCH + (<usize>i << 2), value);
      }
    }
  }
}

/** target[rows][depth] (rows `targetPitch` bytes apart) from source[depth][rows] (`pitch` bytes apart). */
export function transposeBlock(source: usize, pitch: usize, rows: i32, depth: i32, target: usize, targetPitch: usize): void {
  // Sixteen rows at a time: a whole cache line of the source is used while it is there, and sixteen lines of the target
  // fill together, however the pitches fall on the cache's sets.
  for (let first = 0; first < rows; first += 16) {
    const last = min(first + 16, rows);
    let k = 0;
    for (; k + 4 <= depth; k += 4) {
      const p = source + <usize>k * pitch, t = target + (<usize>k << 2);
      let i = first;
      for (; i + 4 <= last; i += 4) {
        const q = p + (<usize>i << 2);
        storeTransposed4(
          v128.load(q), v128.load(q + pitch), v128.load(q + 2 * pitch), v128.load(q + 3 * pitch),
          t + <usize>i * targetPitch, targetPitch,
        );
      }
      for (; i < last; i++) {
        for (let j = 0; j < 4; j++) {
          store<f32>(t + <usize>i * targetPitch + (<usize>j << 2), load<f32>(p + <usize>j * pitch + (<usize>i << 2)));
        }
      }
    }
    for (; k < depth; k++) {
      const p = source + <usize>k * pitch, t = target + (<usize>k << 2);
      for (let i = first; i < last; i++) store<f32>(t + <usize>i * targetPitch, load<f32>(p + (<usize>i << 2)));
    }
  }
}

/**
 * C[rows,columns] = alpha·A[rows,depth]·panel + beta·C + bias[columns], columns <= 16; rows of A and C are `lda` and
 * `ldc` bytes apart. A ragged tile is computed whole in `tile` (128 bytes) and only its own part copied.
 */
export function rowsTimesPanel(
  rows: i32, columns: i32, depth: i32, alpha: f32, a: usize, lda: usize, panel: usize,
  beta: f32, c: usize, ldc: usize, bias: usize, tile: usize,
): void {
  for (let i = 0; i < rows; i += TILE_ROWS) {
    const left = min(rows - i, TILE_ROWS), a1 = left > 1 ? a + lda : a;
    if (left == TILE_ROWS && columns == TILE_COLUMNS) {
      tileOfRows(depth, a, a1, panel, alpha, beta, c, ldc, bias);
    } else {
      tileOfRows(depth, a, a1, panel, alpha, 0, tile, PANEL_PITCH, 0);
      for (let r = 0; r < left; r++) {
        for (let j = 0; j < columns; j++) {
          const target = c + <usize>r * ldc + (<usize>j << 2);
          let value = load<f32>(tile + <usize>r * PANEL_PITCH + (<usize>j << 2));
          if (beta != 0) value += beta * load<f32>(target);
          if (bias) value += load<f32>(bias + (<usize>j << 2));
          store<f32>(target, value);
        }
      }
    }
    a += lda * TILE_ROWS;
    c += ldc * TILE_ROWS;
  }
}

/** C = beta·C + bias: what a product of depth 0 leaves. C is not read where beta is 0. */
export function withoutProduct(rows: i32, columns: i32, beta: f32, c: usize, ldc: usize, bias: usize): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const target = c + <usize>i * ldc + (<usize>j << 2);
      let value: f32 = beta != 0 ? beta * load<f32>(target) : 0;
      if (bias) value += load<f32>(bias + (<usize>j << 2));
      store<f32>(target, value);
    }
  }
}
