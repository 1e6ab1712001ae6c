// Ends of rows: vectors of which only the first 1 to 3 floats are the caller's. Loops run over whole vectors and treat
// the end once behind them: a call inside a loop makes V8 reload every constant of its body.

/** The first 1 to 3 floats at `source`, zeros behind them. */
export function loadPart(source: usize, count: i32): v128 {
  if (count == 1) return v128.load_zero<f32>(source);
  const two = v128.load_zero<f64>(source);
  return count == 2 ? two : v128.load_lane<f32>(source + 8, two, 2);
}

/** Stores the first 1 to 3 floats. */
export function storePart(target: usize, value: v128, count: i32): void {
  v128.store_lane<f32>(target, value, 0);
  if (count > 1) v128.store_lane<f32>(target + 4, value, 1);
  if (count > 2) v128.store_lane<f32>(target + 8, value, 2);
}

/** (lane 0 + lane 2) + (lane 1 + lane 3). */
// @ts-ignore: decorator
@inline
export function sumOfLanes(value: v128): f32 {
  const pairs = f32x4.add(value, v128.shuffle<f32>(value, value, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** The largest lane; a NaN may be passed over. */
// @ts-ignore: decorator
@inline
export function largestLane(value: v128): f32 {
  const pairs = f32x4.pmax(value, v128.shuffle<f32>(value, value, 2, 3, 0, 1));
  const a = f32x4.extract_lane(pairs, 0), b = f32x4.extract_lane(pairs, 1);
  return a > b ? a : b;
}
