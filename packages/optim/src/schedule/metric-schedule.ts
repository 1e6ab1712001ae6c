import { OptimError } from '../errors';

/** Schedules that go by a metric instead of the step, by transformers' names (SchedulerType in trainer_utils.py). */
export const METRIC_SCHEDULER_TYPES = ['reduce_lr_on_plateau', 'greedy'] as const;

/** Such a schedule's name. */
export type MetricSchedulerType = (typeof METRIC_SCHEDULER_TYPES)[number];

/** What such a schedule takes, by the names of torch's ReduceLROnPlateau and transformers' GreedyLR in camelCase. */
export interface MetricScheduleOptions {
  /** The rate to begin with. */
  readonly learningRate: number;
  /** Whether the metric is to fall (`min`, default) or to rise. */
  readonly mode?: 'min' | 'max';
  /** What the rate is multiplied by on a plateau, and under greedy divided by on improvement; default 0.1, greedy 0.95. */
  readonly factor?: number;
  /** Evaluations without improvement (greedy: also with) that are let pass. Default 10. */
  readonly patience?: number;
  /** How much better counts as better; default 1e-4, greedy 1e-6. */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best metric (`rel`, default) or an amount (`abs`, greedy's default). */
  readonly thresholdMode?: 'rel' | 'abs';
  /** Evaluations that are not looked at after the rate fell. Default 0. */
  readonly cooldown?: number;
  /** The lowest rate; default 0, greedy 1e-3. */
  readonly minLr?: number;
  /** A change below this is left out. Default 1e-8. */
  readonly eps?: number;
  /** greedy: evaluations that are not looked at after the rate rose. Default 0. */
  readonly warmup?: number;
  /** greedy: the highest rate. Default 1. */
  readonly maxLr?: number;
  /** greedy: goes by the mean of the last windowSize metrics. Default false. */
  readonly smooth?: boolean;
  /** Default 50. */
  readonly windowSize?: number;
  /** greedy: falls at minLr after which it begins anew. Default 500. */
  readonly resetStart?: number;
}

/** What a metric schedule goes on from. */
export interface MetricScheduleState {
  readonly learningRate: number;
  /** null before the first metric. */
  readonly best: number | null;
  readonly badCount: number;
  readonly goodCount: number;
  readonly cooldownLeft: number;
  readonly warmupLeft: number;
  readonly resetLeft: number;
  /** The last metrics, where they are smoothed. */
  readonly recent: readonly number[];
}

const DEFAULTS = {
  reduce_lr_on_plateau: { factor: 0.1, threshold: 1e-4, thresholdMode: 'rel', minLr: 0 },
  greedy: { factor: 0.95, threshold: 1e-6, thresholdMode: 'abs', minLr: 1e-3 },
} as const;

const GREEDY_ALONE = ['warmup', 'maxLr', 'smooth', 'windowSize', 'resetStart'] as const;

/**
 * A learning rate that falls while a metric gets no better (torch, lr_scheduler.py ReduceLROnPlateau) and, under greedy,
 * rises while it does (transformers, optimization.py GreedyLR; arXiv 2512.14527).
 */
export class MetricSchedule {
  private readonly options: Required<MetricScheduleOptions>;
  private state: MetricScheduleState;

  /** @throws OptimError BAD_ARGUMENT */
  constructor(
    private readonly type: MetricSchedulerType,
    options: MetricScheduleOptions,
  ) {
    if (!METRIC_SCHEDULER_TYPES.includes(type)) {
      throw new OptimError(
        'BAD_ARGUMENT',
        `schedule '${String(type)}' is unknown; there are ${METRIC_SCHEDULER_TYPES.join(', ')}`,
      );
    }
    const defaults = {
      ...DEFAULTS[type],
      mode: 'min',
      patience: 10,
      cooldown: 0,
      eps: 1e-8,
      warmup: 0,
      maxLr: 1,
      smooth: false,
      windowSize: 50,
      resetStart: 500,
    } as const;
    const unknown = Object.keys(options).find((name) => name !== 'learningRate' && !(name in defaults));
    if (unknown !== undefined) throw new OptimError('BAD_ARGUMENT', `${type} takes no ${unknown}`);
    this.options = { ...defaults, ...options };
    checkOptions(type, options, this.options);
    this.state = this.begun();
  }

  /** What the next step takes. */
  get learningRate(): number {
    return this.state.learningRate;
  }

  /** Takes an evaluation's metric. */
  step(metric: number): void {
    const { patience, cooldown, warmup, smooth, windowSize } = this.options;
    const recent = smooth ? [...this.state.recent, metric].slice(-windowSize) : [];
    const current = smooth ? recent.reduce((sum, value) => sum + value, 0) / recent.length : metric;
    this.change({ recent });
    if (this.type === 'greedy' && this.state.cooldownLeft > 0) {
      this.change({ cooldownLeft: this.state.cooldownLeft - 1, badCount: 0, goodCount: 0 });
      return;
    }
    if (this.state.warmupLeft > 0) {
      this.change({ warmupLeft: this.state.warmupLeft - 1, badCount: 0, goodCount: 0 });
      return;
    }
    const better = this.isBetter(current);
    this.change(
      better
        ? { best: current, badCount: 0, goodCount: this.state.goodCount + 1 }
        : { badCount: this.state.badCount + 1, goodCount: 0 },
    );
    // torch, unlike greedy, keeps the best metric of a cooldown.
    if (this.state.cooldownLeft > 0) this.change({ cooldownLeft: this.state.cooldownLeft - 1, badCount: 0 });
    if (this.type === 'greedy' && this.state.goodCount > patience) {
      this.rise();
      this.change({ warmupLeft: warmup, goodCount: 0 });
    } else if (this.state.badCount > patience && this.fall()) {
      this.change({ cooldownLeft: cooldown, badCount: 0 });
    }
  }

  stateDict(): MetricScheduleState {
    return { ...this.state, recent: [...this.state.recent] };
  }

  loadStateDict(state: MetricScheduleState): void {
    const { recent, best, ...numbers } = state;
    const bad = [...Object.values(numbers), best ?? 0, ...recent].find((value) => !Number.isFinite(value));
    if (bad !== undefined) throw new OptimError('BAD_ARGUMENT', `a schedule's state holds ${String(bad)}`);
    this.state = { ...state, recent: [...recent] };
  }

  private begun(): MetricScheduleState {
    const { learningRate, resetStart } = this.options;
    return {
      learningRate,
      best: null,
      badCount: 0,
      goodCount: 0,
      cooldownLeft: 0,
      warmupLeft: 0,
      resetLeft: resetStart,
      recent: [],
    };
  }

  private change(part: Partial<MetricScheduleState>): void {
    this.state = { ...this.state, ...part };
  }

  private isBetter(metric: number): boolean {
    const { best } = this.state;
    const { mode, threshold, thresholdMode } = this.options;
    if (best === null) return !Number.isNaN(metric) && Math.abs(metric) !== Infinity;
    const sign = mode === 'min' ? -1 : 1;
    const bound = thresholdMode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === 'min' ? metric < bound : metric > bound;
  }

  private rise(): void {
    const { factor, maxLr, eps, resetStart } = this.options;
    const higher = Math.min(this.learningRate / factor, maxLr);
    if (higher - this.learningRate > eps) this.change({ learningRate: higher });
    this.change({ resetLeft: resetStart });
  }

  /** False where greedy has begun anew. */
  private fall(): boolean {
    const { factor, minLr, eps } = this.options;
    const lower = Math.max(this.learningRate * factor, minLr);
    if (this.learningRate - lower > eps) this.change({ learningRate: lower });
    if (this.type !== 'greedy' || this.learningRate > minLr) return true;
    this.change({ resetLeft: this.state.resetLeft - 1 });
    if (this.state.resetLeft > 0) return true;
    this.state = this.begun();
    // transformers sets the cooldown after its reset.
    this.change({ cooldownLeft: this.options.cooldown });
    return false;
  }
}

function checkOptions(
  type: MetricSchedulerType,
  given: MetricScheduleOptions,
  options: Required<MetricScheduleOptions>,
): void {
  const refuse = (name: keyof MetricScheduleOptions, wanted: string): never => {
    throw new OptimError('BAD_ARGUMENT', `${name} ${String(options[name])} is not ${wanted}`);
  };
  const own = type === 'greedy' ? undefined : GREEDY_ALONE.find((name) => given[name] !== undefined);
  if (own !== undefined) throw new OptimError('BAD_ARGUMENT', `${type} takes no ${own}; greedy does`);
  if (options.mode !== 'min' && options.mode !== 'max') refuse('mode', "'min' or 'max'");
  if (options.thresholdMode !== 'rel' && options.thresholdMode !== 'abs') refuse('thresholdMode', "'rel' or 'abs'");
  if (!(options.factor > 0 && options.factor < 1)) refuse('factor', 'a number between 0 and 1');
  if (typeof options.smooth !== 'boolean') refuse('smooth', 'true or false');
  for (const name of ['patience', 'cooldown', 'warmup'] as const) {
    if (!Number.isInteger(options[name]) || options[name] < 0) refuse(name, 'an integer of 0 or more');
  }
  for (const name of ['windowSize', 'resetStart'] as const) {
    if (!Number.isInteger(options[name]) || options[name] < 1) refuse(name, 'a positive integer');
  }
  for (const name of ['learningRate', 'threshold', 'minLr', 'maxLr', 'eps'] as const) {
    if (!(options[name] >= 0 && Number.isFinite(options[name]))) refuse(name, 'a number of 0 or more');
  }
}
