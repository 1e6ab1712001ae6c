import { OptimError } from '../errors';

/** Schedules by transformers' names (SchedulerType in trainer_utils.py); those that look at losses are not among them. */
export const SCHEDULER_TYPES = [
  'linear',
  'cosine',
  'cosine_with_restarts',
  'polynomial',
  'constant',
  'constant_with_warmup',
  'inverse_sqrt',
  'cosine_with_min_lr',
  'cosine_warmup_with_min_lr',
  'warmup_stable_decay',
] as const;

/** A schedule's name. */
export type SchedulerType = (typeof SCHEDULER_TYPES)[number];

/** How `warmup_stable_decay` rises and falls. */
export type SlopeType = 'linear' | 'cosine' | '1-sqrt';

/** What a schedule is made of; each takes those of its own in transformers, in camelCase. */
export interface ScheduleOptions {
  /** The highest rate, from which the others follow. */
  readonly learningRate: number;
  /** Steps over which the rate rises from 0. Default 0. */
  readonly warmupSteps?: number;
  /** Steps in all. */
  readonly trainingSteps: number;
  /** Waves after warm-up: 0.5 by default for the cosines and warmup_stable_decay, 1 for cosine_with_restarts. */
  readonly numCycles?: number;
  /** Exponent of polynomial; default 1. */
  readonly power?: number;
  /** Where polynomial ends (lr_end); default 1e-7. */
  readonly learningRateEnd?: number;
  /** inverse_sqrt: steps after which the rate is down by the square root of two; default warmupSteps, or 10,000 without any. */
  readonly timescale?: number;
  /** Where cosine_with_min_lr and cosine_warmup_with_min_lr end. */
  readonly minLr?: number;
  /** The same as a share of learningRate. */
  readonly minLrRate?: number;
  /** cosine_warmup_with_min_lr: where the warm-up begins, as a share of learningRate. */
  readonly warmupLrRate?: number;
  /** warmup_stable_decay: steps of the fall. */
  readonly numDecaySteps?: number;
  /** warmup_stable_decay: steps between rise and fall; default what is left. */
  readonly numStableSteps?: number;
  /** warmup_stable_decay: where rise begins and fall ends, as a share of learningRate; default 0. */
  readonly minLrRatio?: number;
  /** warmup_stable_decay; default linear. */
  readonly warmupType?: SlopeType;
  /** warmup_stable_decay; default cosine. */
  readonly decayType?: SlopeType;
}

/** The learning rate used by optimiser step `step`, counted from 0; formulas of transformers/optimization.py. */
export type Schedule = (step: number) => number;

/** A schedule by transformers' name. @throws OptimError BAD_ARGUMENT */
export function createSchedule(type: SchedulerType, options: ScheduleOptions): Schedule {
  const { learningRate, warmupSteps = 0, trainingSteps } = options;
  if (!(learningRate >= 0 && Number.isFinite(learningRate)))
    throw needed('learningRate', learningRate, 'a number of 0 or more');
  if (!isCount(warmupSteps)) throw needed('warmupSteps', warmupSteps, 'an integer of 0 or more');
  if (!isCount(trainingSteps) || trainingSteps < 1) throw needed('trainingSteps', trainingSteps, 'a positive integer');
  const factor = factorOf(type, options);
  return (step) => learningRate * factor(step);
}

type Factor = (step: number) => number;

/** What the learning rate is multiplied by. */
function factorOf(type: SchedulerType, options: ScheduleOptions): Factor {
  const { learningRate, warmupSteps = 0, trainingSteps, numCycles } = options;
  const progress = (step: number): number => (step - warmupSteps) / Math.max(1, trainingSteps - warmupSteps);
  const cosine = (cycles: number, of: number): number => 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * of));
  switch (type) {
    case 'constant':
      return () => 1;
    case 'constant_with_warmup':
      return afterWarmup(warmupSteps, () => 1);
    case 'linear':
      return afterWarmup(warmupSteps, (step) =>
        Math.max(0, (trainingSteps - step) / Math.max(1, trainingSteps - warmupSteps)),
      );
    case 'cosine':
      return afterWarmup(warmupSteps, (step) => Math.max(0, cosine(numCycles ?? 0.5, progress(step))));
    case 'cosine_with_restarts':
      return afterWarmup(warmupSteps, (step) =>
        progress(step) >= 1
          ? 0
          : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (((numCycles ?? 1) * progress(step)) % 1)))),
      );
    case 'polynomial': {
      const { power = 1, learningRateEnd = 1e-7 } = options;
      if (!(learningRate > learningRateEnd)) {
        throw new OptimError(
          'BAD_ARGUMENT',
          `learningRateEnd ${learningRateEnd} is not below learningRate ${learningRate}`,
        );
      }
      return afterWarmup(warmupSteps, (step) =>
        step > trainingSteps
          ? learningRateEnd / learningRate
          : ((learningRate - learningRateEnd) * (1 - progress(step)) ** power + learningRateEnd) / learningRate,
      );
    }
    case 'inverse_sqrt': {
      const { timescale = warmupSteps || 10_000 } = options;
      return afterWarmup(warmupSteps, (step) => 1 / Math.sqrt((step + timescale - warmupSteps) / timescale));
    }
    case 'cosine_with_min_lr': {
      const least = leastShare(options);
      return afterWarmup(warmupSteps, (step) =>
        Math.max(0, cosine(numCycles ?? 0.5, progress(step)) * (1 - least) + least),
      );
    }
    case 'cosine_warmup_with_min_lr': {
      const least = leastShare(options);
      const { warmupLrRate } = options;
      return (step) => {
        if (step < warmupSteps) {
          if (warmupLrRate === undefined) return (step + 1) / Math.max(1, warmupSteps);
          return warmupLrRate + ((1 - warmupLrRate) * step) / Math.max(1, warmupSteps - 1);
        }
        const shifted = (step - warmupSteps + 1) / Math.max(1, trainingSteps - warmupSteps);
        return Math.max(0, cosine(numCycles ?? 0.5, shifted) * (1 - least) + least);
      };
    }
    case 'warmup_stable_decay':
      return warmupStableDecay(options);
    default:
      throw new OptimError(
        'BAD_ARGUMENT',
        `schedule '${String(type)}' is unknown; there are ${SCHEDULER_TYPES.join(', ')}`,
      );
  }
}

function afterWarmup(warmupSteps: number, after: Factor): Factor {
  return (step) => (step < warmupSteps ? step / Math.max(1, warmupSteps) : after(step));
}

/** The floor of the cosines that have one, as a share of the highest rate. */
function leastShare({ minLr, minLrRate, learningRate }: ScheduleOptions): number {
  if ((minLr === undefined) === (minLrRate === undefined)) {
    throw new OptimError(
      'BAD_ARGUMENT',
      `one of minLr (${minLr}) and minLrRate (${minLrRate}) is needed, and only one`,
    );
  }
  return minLrRate ?? minLr! / learningRate;
}

function warmupStableDecay(options: ScheduleOptions): Factor {
  const { warmupSteps = 0, trainingSteps, numDecaySteps, minLrRatio = 0, numCycles = 0.5 } = options;
  const { warmupType = 'linear', decayType = 'cosine' } = options;
  if (numDecaySteps === undefined || !isCount(numDecaySteps)) {
    throw needed('numDecaySteps', numDecaySteps, 'an integer of 0 or more');
  }
  for (const [name, slope] of Object.entries({ warmupType, decayType })) {
    if (!['linear', 'cosine', '1-sqrt'].includes(slope)) throw needed(name, slope, "'linear', 'cosine' or '1-sqrt'");
  }
  const { numStableSteps = trainingSteps - warmupSteps - numDecaySteps } = options;
  const within = (factor: number): number => Math.max(0, factor * (1 - minLrRatio) + minLrRatio);
  const rise: Record<SlopeType, (progress: number) => number> = {
    linear: (progress) => progress,
    cosine: (progress) => 0.5 * (1 - Math.cos(Math.PI * progress)),
    '1-sqrt': (progress) => 1 - Math.sqrt(1 - progress),
  };
  const fall: Record<SlopeType, (progress: number) => number> = {
    linear: (progress) => 1 - progress,
    cosine: (progress) => 0.5 * (1 + Math.cos(Math.PI * numCycles * 2 * progress)),
    '1-sqrt': (progress) => 1 - Math.sqrt(progress),
  };
  return (step) => {
    if (step < warmupSteps) return within(rise[warmupType](step / Math.max(1, warmupSteps)));
    const falling = step - warmupSteps - numStableSteps;
    if (falling < 0) return 1;
    return falling < numDecaySteps ? within(fall[decayType](falling / Math.max(1, numDecaySteps))) : minLrRatio;
  };
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function needed(name: string, value: unknown, what: string): OptimError {
  return new OptimError('BAD_ARGUMENT', `${name} ${String(value)} is not ${what}`);
}
