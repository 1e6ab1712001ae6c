import { OptimError } from '../errors';

/** Schedules by transformers' names (SchedulerType in trainer_utils.py). */
export const SCHEDULER_TYPES = [
  'linear',
  'cosine',
  'cosine_with_restarts',
  'polynomial',
  'constant',
  'constant_with_warmup',
] as const;

export type SchedulerType = (typeof SCHEDULER_TYPES)[number];

export interface ScheduleOptions {
  readonly learningRate: number;
  /** Steps over which the rate rises from 0. */
  readonly warmupSteps?: number;
  readonly trainingSteps: number;
  /** Waves after warm-up: 0.5 by default for cosine, 1 for cosine_with_restarts. */
  readonly numCycles?: number;
  /** Exponent of polynomial; default 1. */
  readonly power?: number;
  /** Where polynomial ends; default 1e-7. */
  readonly learningRateEnd?: number;
}

/** The learning rate used by optimiser step `step`, counted from 0; formulas of transformers/optimization.py. */
export type Schedule = (step: number) => number;

export function createSchedule(type: SchedulerType, options: ScheduleOptions): Schedule {
  const { learningRate, warmupSteps = 0, trainingSteps } = options;
  if (!(learningRate >= 0 && Number.isFinite(learningRate))) {
    throw new OptimError('BAD_ARGUMENT', `learningRate ${learningRate} is not a number of 0 or more`);
  }
  if (!Number.isInteger(warmupSteps) || warmupSteps < 0) {
    throw new OptimError('BAD_ARGUMENT', `warmupSteps ${warmupSteps} is not an integer of 0 or more`);
  }
  if (!Number.isInteger(trainingSteps) || trainingSteps < 1) {
    throw new OptimError('BAD_ARGUMENT', `trainingSteps ${trainingSteps} is not a positive integer`);
  }
  if (type === 'constant') return () => learningRate;
  const after = decay(type, options);
  return (step) => (step < warmupSteps ? (learningRate * step) / Math.max(1, warmupSteps) : learningRate * after(step));
}

/** The factor after warm-up. */
function decay(type: Exclude<SchedulerType, 'constant'>, options: ScheduleOptions): (step: number) => number {
  const { learningRate, warmupSteps = 0, trainingSteps, numCycles, power = 1, learningRateEnd = 1e-7 } = options;
  const progress = (step: number): number => (step - warmupSteps) / Math.max(1, trainingSteps - warmupSteps);
  switch (type) {
    case 'linear':
      return (step) => Math.max(0, (trainingSteps - step) / Math.max(1, trainingSteps - warmupSteps));
    case 'constant_with_warmup':
      return () => 1;
    case 'cosine':
      return (step) => Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (numCycles ?? 0.5) * 2 * progress(step))));
    case 'cosine_with_restarts':
      return (step) =>
        progress(step) >= 1
          ? 0
          : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (((numCycles ?? 1) * progress(step)) % 1))));
    case 'polynomial':
      if (!(learningRate > learningRateEnd)) {
        throw new OptimError(
          'BAD_ARGUMENT',
          `learningRateEnd ${learningRateEnd} is not below learningRate ${learningRate}`,
        );
      }
      return (step) =>
        step > trainingSteps
          ? learningRateEnd / learningRate
          : ((learningRate - learningRateEnd) * (1 - progress(step)) ** power + learningRateEnd) / learningRate;
    default:
      throw new OptimError(
        'BAD_ARGUMENT',
        `schedule '${String(type)}' is unknown; there are ${SCHEDULER_TYPES.join(', ')}`,
      );
  }
}
