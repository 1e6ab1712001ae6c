import { largestLane, loadPart, sumOfLanes } from './lanes';
import { exp4, logOf } from './math';
import { PANEL_PITCH, packColumns, packRows, rowsTimesPanel, storeTransposed4 } from './panel';
import { dropoutRun } from './philox';
import { TILE_COLUMNS } from './tile';

// Four queries at a time: their scores against the keys they may see, whole, then the softmax, then the values; every
// product is made of the register tiles of `gemm`. Keys and values of a head are packed once for all its queries.

/** log-sum-exp of a row that attends to no key: exp(score - it) is 0 for every score. */
const NO_KEYS_LSE: f32 = 1e30;
const TILE_BYTES: usize = 128;

// @ts-ignore: decorator
@inline
function up4(n: i32): usize {
  return <usize>((n + 3) & ~3);
}

// @ts-ignore: decorator
@inline
function up16(n: i32): usize {
  return <usize>((n + 15) & ~15);
}

/** panels[p][width][16]: `count` rows of `width` floats, 16 rows to a panel, transposed; rows behind the end are 0. */
function packKeys(source: usize, pitch: usize, count: i32, width: i32, panels: usize): void {
  for (let j = 0; j < count; j += TILE_COLUMNS) {
    packColumns(source + <usize>j * pitch, pitch, width, min(count - j, TILE_COLUMNS), panels);
    panels += <usize>width * PANEL_PITCH;
  }
}

/** panels[p][count][16]: `count` rows of `width` floats, 16 columns to a panel; columns behind the end are 0. */
function packValues(source: usize, pitch: usize, count: i32, width: i32, panels: usize): void {
  for (let d = 0; d < width; d += TILE_COLUMNS) {
    packRows(source + (<usize>d << 2), pitch, count, min(width - d, TILE_COLUMNS), panels);
    panels += <usize>count * PANEL_PITCH;
  }
}

/** out[rows,width] = beta·out + A[rows,depth]·values[from .. from + depth] for values packed by `packValues` with `count` rows. */
// @ts-ignore: decorator
@inline
function timesValues(
  rows: i32, width: i32, depth: i32, a: usize, lda: usize, values: usize, count: i32, from: i32, beta: f32, out: usize, ldo: usize, tile: usize,
): void {
  for (let d = 0; d < width; d += TILE_COLUMNS) {
    const panel = values + (<usize>d * <usize>count << 2) + <usize>from * PANEL_PITCH;
    rowsTimesPanel(rows, min(width - d, TILE_COLUMNS), depth, 1, a, lda, panel, beta, out + (<usize>d << 2), ldo, 0, tile);
  }
}

/** out[rows, 16·(to - from)] = alpha·A[rows,width]·keys of panels from .. to, packed by `packKeys`. */
// @ts-ignore: decorator
@inline
function timesKeys(
  rows: i32, width: i32, alpha: f32, a: usize, lda: usize, keys: usize, from: i32, to: i32, out: usize, ldo: usize, tile: usize,
): void {
  for (let p = from; p < to; p++) {
    const panel = keys + <usize>p * <usize>width * PANEL_PITCH;
    rowsTimesPanel(rows, TILE_COLUMNS, width, alpha, a, lda, panel, 0, out + <usize>(p - from) * PANEL_PITCH, ldo, 0, tile);
  }
}

/** The multipliers of dropout for `count` keys from `first` on of one head and the query of that number, at `mask` and on. */
// @ts-ignore: decorator
@inline
function maskRow(
  head: i32, first: i32, count: i32, keyStride: i32, threshold: u32, keepScale: f32,
  key0: i32, key1: i32, counter1: i32, counter2: i32, number: i32, mask: usize,
): usize {
  const element = <u32>head * <u32>keyStride + <u32>first, lead = element & 7;
  dropoutRun(0, 0, element >> 3, count + lead, threshold, keepScale, key0, key1, counter1, counter2, number, mask);
  return mask + (<usize>lead << 2);
}

/** Bytes of scratch `attention` needs when no sequence is longer than `longest` rows. */
export function attentionScratchBytes(longest: i32, headDim: i32): i32 {
  const keys = up16(longest) * <usize>headDim, values = up16(headDim) * <usize>longest;
  return <i32>(TILE_BYTES + 4 * (keys + values + 4 * up16(longest) + up16(longest) + 16));
}

/**
 * Causal multi-head attention, out = dropout(softmax(q·kᵀ·scale))·v (Vaswani et al. 2017, section 3.2.1), within runs
 * of rows. qkv is [rows, (H + 2·K)·D], q | k | v, of H, K and K heads of D: head h of q meets head h·K / H of k and v; out is [rows, H·D]; lse[rows,H] is log Σ exp(scores).
 * sequences are int32 [numSequences,4] = (rowStart, rowCount, keyStart, keyEnd): query i of a sequence attends to its
 * keys j with keyStart <= j <= min(i, keyEnd - 1). A row with no key, or in no sequence, has out 0 and lse 1e30.
 * A probability is dropped where element h·keyStride + j of its query's row, drawn as in `dropout`, is below `threshold`
 * and multiplied by keepScale otherwise; threshold 0 is no dropout. Scratch: attentionScratchBytes.
 */
export function attention(
  qkv: usize, rows: i32, sequences: usize, numSequences: i32, heads: i32, keyHeads: i32, headDim: i32, scale: f32,
  threshold: u32, keepScale: f32, key0: i32, key1: i32, counter1: i32, counter2: i32, rowNumbers: usize, keyStride: i32,
  out: usize, lse: usize, scratch: usize,
): void {
  const width = <usize>(heads * headDim) << 2, headBytes = <usize>headDim << 2, keyWidth = <usize>keyHeads * headBytes;
  const pitch = width + 2 * keyWidth, group = heads / keyHeads;
  memory.fill(out, 0, <usize>rows * width);
  for (let i = 0; i < rows * heads; i++) store<f32>(lse + (<usize>i << 2), NO_KEYS_LSE);
  for (let s = 0; s < numSequences; s++) {
    const fields = sequences + (<usize>s << 4);
    const start = load<i32>(fields), count = load<i32>(fields, 4);
    const keyStart = load<i32>(fields, 8), keyEnd = min(load<i32>(fields, 12), count);
    if (keyEnd <= keyStart) continue;
    const keys = scratch + TILE_BYTES, values = keys + up16(count) * headBytes;
    const scores = values + up16(headDim) * (<usize>count << 2), rowBytes = up16(count) << 2, mask = scores + 4 * rowBytes;
    for (let h = 0; h < heads; h++) {
      const q = qkv + <usize>start * pitch + <usize>h * headBytes;
      if (h % group == 0) {
        const k = qkv + <usize>start * pitch + width + <usize>(h / group) * headBytes;
        packKeys(k, pitch, count, headDim, keys);
        packValues(k + keyWidth, pitch, count, headDim, values);
      }
      const firstPanel = keyStart / TILE_COLUMNS, first = firstPanel * TILE_COLUMNS;
      for (let i = 0; i < count; i += 4) {
        const queries = min(count - i, 4), last = min(i + queries, keyEnd);
        if (last <= keyStart) continue;
        const panels = (last + 15) / TILE_COLUMNS - firstPanel, columns = panels * TILE_COLUMNS;
        timesKeys(queries, headDim, scale, q + <usize>i * pitch, pitch, keys, firstPanel, firstPanel + panels, scores, rowBytes, scratch);
        for (let r = 0; r < queries; r++) {
          const row = scores + <usize>r * rowBytes, index = (start + i + r) * heads + h;
          const end = min(i + r + 1, keyEnd);
          if (end <= keyStart) {
            memory.fill(row, 0, <usize>columns << 2);
            continue;
          }
          const total = exponentials(row, columns, keyStart - first, end - first, lse + (<usize>index << 2));
          if (threshold != 0) {
            const factors = maskRow(h, first, columns, keyStride, threshold, keepScale, key0, key1, counter1, counter2, load<i32>(rowNumbers + (<usize>(start + i + r) << 2)), mask);
            scaleByMask(row, columns, 1 / total, factors);
          } else {
            scaleRow(row, columns, 1 / total);
          }
        }
        const target = out + <usize>(start + i) * width + <usize>h * headBytes;
        timesValues(queries, headDim, last - first, scores, rowBytes, values, count, first, 0, target, width, scratch);
      }
    }
  }
}

/**
 * Replaces scores[from .. to) by exp(score - largest), the rest of the row's `count` (a multiple of 4) by 0, stores
 * the log of the sum and returns the sum.
 */
function exponentials(row: usize, count: i32, from: i32, to: i32, lse: usize): f32 {
  for (let j = 0; j < from; j++) store<f32>(row + (<usize>j << 2), -Infinity);
  for (let j = to; j < count; j++) store<f32>(row + (<usize>j << 2), -Infinity);
  let largest = f32x4.splat(-Infinity);
  for (let j = 0; j < count; j += 4) largest = f32x4.pmax(largest, v128.load(row + (<usize>j << 2)));
  const most = largestLane(largest), shift = f32x4.splat(most);
  let sums = f32x4.splat(0);
  for (let j = 0; j < count; j += 4) {
    const at = row + (<usize>j << 2), e = exp4(f32x4.sub(v128.load(at), shift));
    v128.store(at, e);
    sums = f32x4.add(sums, e);
  }
  const sum = sumOfLanes(sums);
  store<f32>(lse, <f32>(<f64>most + logOf(<f64>sum)));
  return sum;
}

function scaleRow(row: usize, count: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  for (let j = 0; j < count; j += 4) {
    const at = row + (<usize>j << 2);
    v128.store(at, f32x4.mul(v128.load(at), factors));
  }
}

function scaleByMask(row: usize, count: i32, factor: f32, mask: usize): void {
  const factors = f32x4.splat(factor);
  for (let j = 0; j < count; j += 4) {
    const at = row + (<usize>j << 2);
    v128.store(at, f32x4.mul(f32x4.mul(v128.load(at), factors), v128.load(mask + (<usize>j << 2))));
  }
}

/** Bytes of scratch `attentionBackward` needs when no sequence is longer than `longest` rows. */
export function attentionBackwardScratchBytes(longest: i32, headDim: i32): i32 {
  const keys = up16(longest) * <usize>headDim, values = up16(headDim) * <usize>longest;
  return <i32>(TILE_BYTES + 4 * (2 * keys + 3 * values + 8 * up16(longest) + up16(longest) + 16 + 2 * up16(longest) * up4(longest)));
}

/**
 * dqkv[rows, 3·H·D], the gradient of `attention` by qkv, from dout, out and lse [rows,H] of the forward pass with the
 * same numbers. Probabilities are computed again from lse; Σ dout·out of a row stands for Σ p·dp, with dropout too (Dao
 * 2023, "FlashAttention-2", section 2.3). Rows in no sequence get 0. Scratch: attentionBackwardScratchBytes.
 */
export function attentionBackward(
  dout: usize, qkv: usize, out: usize, lse: usize, rows: i32, sequences: usize, numSequences: i32,
  heads: i32, keyHeads: i32, headDim: i32, scale: f32, threshold: u32, keepScale: f32,
  key0: i32, key1: i32, counter1: i32, counter2: i32, rowNumbers: usize, keyStride: i32, dqkv: usize, scratch: usize,
): void {
  const width = <usize>(heads * headDim) << 2, headBytes = <usize>headDim << 2, keyWidth = <usize>keyHeads * headBytes;
  const pitch = width + 2 * keyWidth, group = heads / keyHeads;
  memory.fill(dqkv, 0, <usize>rows * pitch);
  for (let s = 0; s < numSequences; s++) {
    const fields = sequences + (<usize>s << 4);
    const start = load<i32>(fields), count = load<i32>(fields, 4);
    const keyStart = load<i32>(fields, 8), keyEnd = min(load<i32>(fields, 12), count);
    if (keyEnd <= keyStart) continue;
    const keySize = up16(count) * headBytes, valueSize = up16(headDim) * (<usize>count << 2), rowBytes = up16(count) << 2;
    const columnBytes = up4(count) << 2;
    // k and v to multiply rows by their transposes; k, q and dout to multiply scores by.
    const keys = scratch + TILE_BYTES, valueKeys = keys + keySize, keyValues = valueKeys + keySize;
    const queryValues = keyValues + valueSize, doutValues = queryValues + valueSize, scores = doutValues + valueSize;
    const dScores = scores + 4 * rowBytes, mask = dScores + 4 * rowBytes;
    // Transposed [key][query]: the probabilities that multiplied v, and the gradient of the scores.
    const probabilitiesT = mask + rowBytes + 64, dScoresT = probabilitiesT + up16(count) * columnBytes;
    const firstPanel = keyStart / TILE_COLUMNS, first = firstPanel * TILE_COLUMNS;
    for (let h = 0; h < heads; h++) {
      const q = qkv + <usize>start * pitch + <usize>h * headBytes, dq = dqkv + <usize>start * pitch + <usize>h * headBytes;
      const dy = dout + <usize>start * width + <usize>h * headBytes, y = out + <usize>start * width + <usize>h * headBytes;
      const keyOffset = <usize>start * pitch + width + <usize>(h / group) * headBytes, k = qkv + keyOffset;
      if (h % group == 0) {
        packKeys(k, pitch, count, headDim, keys);
        packKeys(k + keyWidth, pitch, count, headDim, valueKeys);
        packValues(k, pitch, count, headDim, keyValues);
      }
      packValues(q, pitch, count, headDim, queryValues);
      packValues(dy, width, count, headDim, doutValues);
      for (let i = 0; i < count; i += 4) {
        const queries = min(count - i, 4), last = min(i + queries, keyEnd);
        if (last <= keyStart) continue;
        const panels = (last + 15) / TILE_COLUMNS - firstPanel, columns = panels * TILE_COLUMNS;
        timesKeys(queries, headDim, scale, q + <usize>i * pitch, pitch, keys, firstPanel, firstPanel + panels, scores, rowBytes, scratch);
        timesKeys(queries, headDim, 1, dy + <usize>i * width, width, valueKeys, firstPanel, firstPanel + panels, dScores, rowBytes, scratch);
        for (let r = 0; r < queries; r++) {
          const index = (start + i + r) * heads + h, end = min(i + r + 1, keyEnd);
          const row = scores + <usize>r * rowBytes, dRow = dScores + <usize>r * rowBytes;
          let factors: usize = 0;
          if (threshold != 0 && end > keyStart) {
            factors = maskRow(h, first, columns, keyStride, threshold, keepScale, key0, key1, counter1, counter2, load<i32>(rowNumbers + (<usize>(start + i + r) << 2)), mask);
          }
          const delta = dotProduct(dy + <usize>(i + r) * width, y + <usize>(i + r) * width, headDim);
          backwardRow(row, dRow, columns, keyStart - first, end - first, load<f32>(lse + (<usize>index << 2)), delta, scale, factors);
        }
        for (let r = queries; r < 4; r++) {
          memory.fill(scores + <usize>r * rowBytes, 0, <usize>columns << 2);
          memory.fill(dScores + <usize>r * rowBytes, 0, <usize>columns << 2);
        }
        timesValues(queries, headDim, last - first, dScores, rowBytes, keyValues, count, first, 0, dq + <usize>i * pitch, pitch, scratch);
        const corner = <usize>first * columnBytes + (<usize>i << 2);
        transposeRows(scores, rowBytes, columns, probabilitiesT + corner, columnBytes);
        transposeRows(dScores, rowBytes, columns, dScoresT + corner, columnBytes);
      }
      // The gradients by a shared head of keys are summed over the heads of queries.
      const beta: f32 = h % group == 0 ? 0 : 1;
      // Keys below `first` or from keyEnd on were seen by no query; key j by none before it, nor by one before keyStart.
      for (let j = first; j < keyEnd; j += 4) {
        const rowsOfT = min(count - j, 4), from = max(j, keyStart & ~3);
        const corner = <usize>j * columnBytes + (<usize>from << 2), dk = dqkv + keyOffset + <usize>j * pitch;
        timesValues(rowsOfT, headDim, count - from, dScoresT + corner, columnBytes, queryValues, count, from, beta, dk, pitch, scratch);
        timesValues(rowsOfT, headDim, count - from, probabilitiesT + corner, columnBytes, doutValues, count, from, beta, dk + keyWidth, pitch, scratch);
      }
    }
  }
}

/**
 * From scores and dp = dout·vᵀ of a row: scores become the probabilities that multiplied v, dp the gradient of q·kᵀ.
 * Outside [from, to) both become 0. `mask` 0 means no dropout.
 */
function backwardRow(
  row: usize, dRow: usize, count: i32, from: i32, to: i32, lse: f32, delta: f32, scale: f32, mask: usize,
): void {
  const shift = f32x4.splat(lse), projected = f32x4.splat(delta), factor = f32x4.splat(scale);
  const begin = i32x4.splat(from), end = i32x4.splat(to);
  let lanes = i32x4(0, 1, 2, 3);
  for (let j = 0; j < count; j += 4) {
    const at = <usize>j << 2;
    const seen = v128.and(i32x4.ge_s(lanes, begin), i32x4.lt_s(lanes, end));
    const p = v128.and(seen, exp4(f32x4.sub(v128.load(row + at), shift)));
    let dp = v128.load(dRow + at), kept = p;
    if (mask) {
      const factors = v128.load(mask + at);
      dp = f32x4.mul(dp, factors);
      kept = f32x4.mul(p, factors);
    }
    v128.store(row + at, kept);
    v128.store(dRow + at, v128.and(seen, f32x4.mul(f32x4.mul(p, f32x4.sub(dp, projected)), factor)));
    lanes = i32x4.add(lanes, i32x4.splat(4));
  }
}

function dotProduct(a: usize, b: usize, n: i32): f32 {
  let sums = f32x4.splat(0);
  const whole = <usize>(n & ~3) << 2;
  for (let at: usize = 0; at < whole; at += 16) sums = f32x4.add(sums, f32x4.mul(v128.load(a + at), v128.load(b + at)));
  if (n & 3) sums = f32x4.add(sums, f32x4.mul(loadPart(a + whole, n & 3), loadPart(b + whole, n & 3)));
  return sumOfLanes(sums);
}

/** target[columns][4] (rows `pitch` bytes apart) from source[4][columns]; columns is a multiple of 4. */
function transposeRows(source: usize, sourcePitch: usize, columns: i32, target: usize, pitch: usize): void {
  for (let j = 0; j < columns; j += 4) {
    const p = source + (<usize>j << 2);
    storeTransposed4(
      v128.load(p), v128.load(p + sourcePitch), v128.load(p + 2 * sourcePitch), v128.load(p + 3 * sourcePitch),
      target + <usize>j * pitch, pitch,
    );
  }
}
