import type { LogRow } from '../state/trainer-state';

/** What rates are made of. */
export interface SpeedOptions {
  /** Before the keys: `train`, `eval`. */
  readonly prefix: string;
  readonly seconds: number;
  /** Rows gone through. */
  readonly samples: number;
  readonly steps: number;
}

/** Run time and rates as transformers rounds them (trainer_utils.py, speed_metrics). */
export function speedMetrics({ prefix, seconds, samples, steps }: SpeedOptions): LogRow {
  const runtime = { [`${prefix}_runtime`]: rounded(seconds, 4) };
  if (seconds === 0) return runtime;
  return {
    ...runtime,
    [`${prefix}_samples_per_second`]: rounded(samples / seconds, 3),
    [`${prefix}_steps_per_second`]: rounded(steps / seconds, 3),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
