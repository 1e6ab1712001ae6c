/** Writes the gradient at `point` into `gradient` and returns the value there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface MinimizeOptions {
  /** Ends where no entry of the gradient is larger than this. */
  tolerance: number;
  maxIterations: number;
}

export interface Minimum {
  value: number;
  /** Largest absolute entry of the gradient. */
  gradientNorm: number;
  iterations: number;
  converged: boolean;
}

/** Pairs of steps and gradient changes that stand in for the Hessian; scipy's default. */
const HISTORY = 10;
/** Wolfe conditions: the decrease a step must bring, and how flat the slope must be after it (Nocedal and Wright, chapter 3). */
const DECREASE = 1e-4;
const CURVATURE = 0.9;
/** Relative error that a value summed over a batch may have. */
const ROUNDING = 1e-14;
const MOST_TRIALS = 40;

/**
 * Limited-memory BFGS (Nocedal 1980; two-loop recursion) with a weak Wolfe line search by bisection (Lewis and Overton
 * 2013), from `point`, which it moves. For smooth convex objectives; deterministic.
 */
export function minimize(
  objective: Objective,
  point: Float64Array,
  { tolerance, maxIterations }: MinimizeOptions,
): Minimum {
  const size = point.length;
  let gradient = new Float64Array(size);
  let nextGradient = new Float64Array(size);
  const start = new Float64Array(size);
  const direction = new Float64Array(size);
  const history: Update[] = [];
  let value = objective(point, gradient);
  let iterations = 0;
  for (; iterations < maxIterations && largest(gradient) > tolerance; iterations++) {
    descent(gradient, history, direction);
    const slope = dot(direction, gradient);
    // Rounding can leave no way down close to the minimum.
    if (!(slope < 0)) break;
    start.set(point);
    let low = 0;
    let high = Infinity;
    let step = history.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1;
    let nextValue = value;
    let accepted = false;
    for (let trial = 0; trial < MOST_TRIALS && !accepted; trial++) {
      for (let i = 0; i < size; i++) point[i] = start[i]! + step * direction[i]!;
      nextValue = objective(point, nextGradient);
      const nextSlope = dot(direction, nextGradient);
      const decreased = nextValue <= value + DECREASE * step * slope;
      // Close to the minimum the decrease drowns in the value's rounding; there the slopes tell (Hager and Zhang 2005, 4.1).
      const level = nextValue <= value + ROUNDING * Math.abs(value) && nextSlope <= (2 * DECREASE - 1) * slope;
      // A value that is NaN is neither, and counts as too far.
      if (!decreased && !level) high = step;
      else if (nextSlope < CURVATURE * slope) low = step;
      else accepted = true;
      if (!accepted) step = high === Infinity ? 2 * low : (low + high) / 2;
    }
    if (!accepted) {
      point.set(start);
      break;
    }
    remember(history, { start, point, gradient, nextGradient });
    [gradient, nextGradient] = [nextGradient, gradient];
    value = nextValue;
  }
  const gradientNorm = largest(gradient);
  return { value, gradientNorm, iterations, converged: gradientNorm <= tolerance };
}

interface Update {
  step: Float64Array;
  change: Float64Array;
  product: number;
}

function remember(
  history: Update[],
  moved: { start: Float64Array; point: Float64Array; gradient: Float64Array; nextGradient: Float64Array },
): void {
  // The oldest update's memory serves the newest.
  const reused = history.length === HISTORY ? history.shift() : undefined;
  const step = reused?.step ?? new Float64Array(moved.point.length);
  const change = reused?.change ?? new Float64Array(moved.point.length);
  for (let i = 0; i < step.length; i++) {
    step[i] = moved.point[i]! - moved.start[i]!;
    change[i] = moved.nextGradient[i]! - moved.gradient[i]!;
  }
  const product = dot(step, change);
  if (product > 0) history.push({ step, change, product });
}

/** direction = -(approximate inverse Hessian) * gradient */
function descent(gradient: Float64Array, history: readonly Update[], direction: Float64Array): void {
  for (let i = 0; i < gradient.length; i++) direction[i] = -gradient[i]!;
  const weights = new Float64Array(history.length);
  for (let k = history.length - 1; k >= 0; k--) {
    const { step, change, product } = history[k]!;
    weights[k] = dot(step, direction) / product;
    addScaled(direction, -weights[k]!, change);
  }
  const last = history.at(-1);
  if (last) {
    const scale = last.product / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  history.forEach(({ step, change, product }, k) => {
    addScaled(direction, weights[k]! - dot(change, direction) / product, step);
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

function addScaled(target: Float64Array, scale: number, source: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!;
}

function largest(terms: Float64Array): number {
  let norm = 0;
  for (let i = 0; i < terms.length; i++) norm = Math.max(norm, Math.abs(terms[i]!));
  return norm;
}
