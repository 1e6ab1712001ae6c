// Rotary position embedding, Su et al. 2021, section 3.4.2; columns d and d + headDim / 2 of a head are a pair, as
// transformers' rotate_half has it. A row of the table holds the cosines of a position's headDim / 2 angles, then the sines.

// @ts-ignore: decorator
@inline
function rotate(source: usize, angles: usize, half: i32, target: usize): void {
  const size = <usize>half << 2, whole = <usize>(half & ~3) << 2;
  let at: usize = 0;
  for (; at < whole; at += 16) {
    const first = v128.load(source + at), second = v128.load(source + size + at);
    const cos = v128.load(angles + at), sin = v128.load(angles + size + at);
    v128.store(target + at, f32x4.sub(f32x4.mul(first, cos), f32x4.mul(second, sin)));
    v128.store(target + size + at, f32x4.add(f32x4.mul(second, cos), f32x4.mul(first, sin)));
  }
  for (; at < size; at += 4) {
    const first = load<f32>(source + at), second = load<f32>(source + size + at);
    const cos = load<f32>(angles + at), sin = load<f32>(angles + size + at);
    store<f32>(target + at, first * cos - second * sin);
    store<f32>(target + size + at, second * cos + first * sin);
  }
}

// @ts-ignore: decorator
@inline
function rotateBack(source: usize, angles: usize, half: i32, target: usize): void {
  const size = <usize>half << 2, whole = <usize>(half & ~3) << 2;
  let at: usize = 0;
  for (; at < whole; at += 16) {
    const first = v128.load(source + at), second = v128.load(source + size + at);
    const cos = v128.load(angles + at), sin = v128.load(angles + size + at);
    v128.store(target + at, f32x4.add(f32x4.mul(first, cos), f32x4.mul(second, sin)));
    v128.store(target + size + at, f32x4.sub(f32x4.mul(second, cos), f32x4.mul(first, sin)));
  }
  for (; at < size; at += 4) {
    const first = load<f32>(source + at), second = load<f32>(source + size + at);
    const cos = load<f32>(angles + at), sin = load<f32>(angles + size + at);
    store<f32>(target + at, first * cos + second * sin);
    store<f32>(target + size + at, second * cos - first * sin);
  }
}

/** y[rows, (heads + 2·keyHeads)·headDim]: q and k rotated by the angles of positions[rows], then v. */
export function rotary(
  q: usize, k: usize, v: usize, positions: usize, table: usize, rows: i32, heads: i32, keyHeads: i32, headDim: i32, y: usize,
): void {
  const headBytes = <usize>headDim << 2, valueBytes = <usize>keyHeads * headBytes, half = headDim >> 1;
  for (let row = 0; row < rows; row++) {
    const angles = table + <usize>load<i32>(positions + (<usize>row << 2)) * headBytes;
    for (let h = 0; h < heads; h++) {
      rotate(q, angles, half, y);
      q += headBytes;
      y += headBytes;
    }
    for (let h = 0; h < keyHeads; h++) {
      rotate(k, angles, half, y);
      k += headBytes;
      y += headBytes;
    }
    memory.copy(y, v, valueBytes);
    v += valueBytes;
    y += valueBytes;
  }
}

/** dq, dk and dv from dy, which is shaped as `rotary`'s y. */
export function rotaryBackward(
  dy: usize, positions: usize, table: usize, rows: i32, heads: i32, keyHeads: i32, headDim: i32, dq: usize, dk: usize, dv: usize,
): void {
  const headBytes = <usize>headDim << 2, valueBytes = <usize>keyHeads * headBytes, half = headDim >> 1;
  for (let row = 0; row < rows; row++) {
    const angles = table + <usize>load<i32>(positions + (<usize>row << 2)) * headBytes;
    for (let h = 0; h < heads; h++) {
      rotateBack(dy, angles, half, dq);
      dq += headBytes;
      dy += headBytes;
    }
    for (let h = 0; h < keyHeads; h++) {
      rotateBack(dy, angles, half, dk);
      dk += headBytes;
      dy += headBytes;
    }
    memory.copy(dv, dy, valueBytes);
    dv += valueBytes;
    dy += valueBytes;
  }
}
