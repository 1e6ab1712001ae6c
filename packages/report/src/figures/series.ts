import { type Figure, type Point, type Series, type SmoothPoint } from './report-figures';

/** A figure as JSON holds it. */
export function asFigure(value: number): Figure {
  return Number.isFinite(value) ? value : (String(value) as Figure);
}

/** Fewer points than this are shown as they are. */
const FEWEST_SMOOTHED = 12;

/** What is measured with noise; a schedule or a count is shown as it is. */
const NOISY = /loss$|^grad_norm$/;

/** Points by step, where the later of two at one step counts, with their moving mean. */
export function seriesOf(name: string, points: readonly { readonly step: number; readonly value: number }[]): Series {
  const byStep = new Map(points.map(({ step, value }) => [step, value]));
  const sorted = [...byStep].sort(([a], [b]) => a - b);
  const finite = sorted.filter(([, value]) => Number.isFinite(value));
  const window =
    finite.length < FEWEST_SMOOTHED || !NOISY.test(name) ? 0 : Math.max(5, 2 * Math.round(finite.length / 40) + 1);
  return {
    name,
    points: thinned(sorted).map(([step, value]): Point => ({ step, value: asFigure(value) })),
    smooth: window === 0 ? [] : thinned(movingMean(finite, window)),
    window,
  };
}

/** Mean and standard deviation of the points around each point, fewer at the ends. */
function movingMean(points: readonly (readonly [number, number])[], window: number): SmoothPoint[] {
  const half = Math.floor(window / 2);
  return points.map(([step], i) => {
    const values = points.slice(Math.max(0, i - half), i + half + 1).map(([, value]) => value);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    return { step, mean, low: mean - spread, high: mean + spread };
  });
}

/** More points than a chart has pixels make a file large and nothing plainer. */
const MOST_POINTS = 400;

/** Every n-th point, the last among them. */
function thinned<T>(points: readonly T[]): T[] {
  if (points.length <= MOST_POINTS) return [...points];
  const every = points.length / MOST_POINTS;
  return Array.from({ length: MOST_POINTS }, (_, i) => points[Math.ceil((i + 1) * every) - 1]!);
}
