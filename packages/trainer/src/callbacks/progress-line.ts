import type { LogRow } from '../state/trainer-state';
import type { CallbackContext, TrainerCallback } from './callback';

/** Where `ProgressLineCallback` writes. */
export interface ProgressLineOptions {
  /** Takes each line; default console.log. */
  readonly log?: (line: string) => void;
  /** Milliseconds, growing; default performance.now. */
  readonly now?: () => number;
}

/** Steps that are timed before the first estimate: those before them record plans and warm up. */
const TIMED_FROM = 2;
const TIMED_UNTIL = 5;

/** What a trainer says when nobody gave it a callback: steps, a line for each log row, and after a few steps how long it will take. */
export class ProgressLineCallback implements TrainerCallback {
  private readonly log: (line: string) => void;
  private readonly now: () => number;
  private begun = 0;
  private timed = 0;

  constructor({ log = (line) => console.log(line), now = () => performance.now() }: ProgressLineOptions = {}) {
    this.log = log;
    this.now = now;
  }

  onTrainBegin({ state, args }: CallbackContext): void {
    this.begun = state.globalStep;
    const left = state.maxSteps - state.globalStep;
    const rows = args.perDeviceTrainBatchSize * args.gradientAccumulationSteps;
    this.log(`training ${left} steps of ${rows} rows${this.begun > 0 ? ` after ${this.begun}` : ''}`);
  }

  onStepEnd({ state }: CallbackContext): void {
    const done = state.globalStep - this.begun;
    if (done === TIMED_FROM) this.timed = this.now();
    if (done !== TIMED_UNTIL) return;
    const seconds = (this.now() - this.timed) / 1000 / (TIMED_UNTIL - TIMED_FROM);
    const left = state.maxSteps - state.globalStep;
    this.log(`${seconds.toPrecision(2)} s a step: some ${duration(seconds * left)} more, evaluations not counted`);
  }

  onLog({ logs, state }: CallbackContext & { readonly logs: LogRow }): void {
    const { step: _, ...rest } = logs;
    const shown = Object.entries(rest).map(([key, value]) => `${key} ${shortened(value)}`);
    this.log(`step ${state.globalStep}/${state.maxSteps}  ${shown.join('  ')}`);
  }
}

function shortened(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 1e-3 ? value.toExponential(3) : value.toFixed(4);
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
