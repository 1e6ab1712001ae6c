import { formatBytes, type Device } from '@qlora-js/kernels';
import type { LogRow } from '../state/trainer-state';
import type { CallbackContext, TrainerCallback } from './callback';

/** Where `ProgressLineCallback` writes. */
export interface ProgressLineOptions {
  /** Takes each line; default console.log. */
  readonly log?: (line: string) => void;
  /** Milliseconds, growing; default performance.now. */
  readonly now?: () => number;
  /** Whose memory is told of: what is held at the start, and at most after a few steps. */
  readonly device?: Pick<Device, 'backend' | 'memory'>;
  /** Bytes that there are beside what is held; default what Node says, undefined elsewhere. Of a GPU WebGPU tells none. */
  readonly available?: () => number | undefined;
}

/** Steps that are timed before the first estimate: those before them record plans and warm up. */
const TIMED_FROM = 2;
const TIMED_UNTIL = 5;

/** What a trainer says when nobody gave it a callback: steps, a line for each log row, and after a few steps how long it will take. */
export class ProgressLineCallback implements TrainerCallback {
  private readonly log: (line: string) => void;
  private readonly now: () => number;
  private readonly device: ProgressLineOptions['device'];
  private readonly available: () => number | undefined;
  private begun = 0;
  private timed = 0;

  constructor({
    log = (line) => console.log(line),
    now = () => performance.now(),
    device,
    available = availableMemory,
  }: ProgressLineOptions = {}) {
    this.log = log;
    this.now = now;
    this.device = device;
    this.available = available;
  }

  onTrainBegin({ state, args }: CallbackContext): void {
    this.begun = state.globalStep;
    const left = state.maxSteps - state.globalStep;
    const rows = args.perDeviceTrainBatchSize * args.gradientAccumulationSteps;
    this.log(
      `training ${left} steps of ${rows} rows${this.begun > 0 ? ` after ${this.begun}` : ''}${this.memoryHeld()}`,
    );
  }

  onStepEnd({ state }: CallbackContext): void {
    const done = state.globalStep - this.begun;
    if (done === TIMED_FROM) this.timed = this.now();
    if (done !== TIMED_UNTIL) return;
    const seconds = (this.now() - this.timed) / 1000 / (TIMED_UNTIL - TIMED_FROM);
    const left = state.maxSteps - state.globalStep;
    const peak = this.device === undefined ? '' : `; at most ${formatBytes(this.device.memory().peakBytes)} so far`;
    this.log(
      `${seconds.toPrecision(2)} s a step: some ${duration(seconds * left)} more, evaluations not counted${peak}`,
    );
  }

  /** What the device holds before the first step, against what there is. */
  private memoryHeld(): string {
    if (this.device === undefined) return '';
    const held = `; the model holds ${formatBytes(this.device.memory().currentBytes)}`;
    if (this.device.backend === 'webgpu') return `${held} of the GPU's memory`;
    const free = this.available();
    return free === undefined ? held : `${held}, ${formatBytes(free)} are free`;
  }

  onLog({ logs, state }: CallbackContext & { readonly logs: LogRow }): void {
    const { step: _, ...rest } = logs;
    const shown = Object.entries(rest).map(([key, value]) => `${key} ${shortened(value)}`);
    this.log(`step ${state.globalStep}/${state.maxSteps}  ${shown.join('  ')}`);
  }
}

/** Node's figure, which knows of limits that a container sets; a browser gives none. */
function availableMemory(): number | undefined {
  const { process } = globalThis as { process?: { availableMemory?: () => number } };
  return process?.availableMemory?.();
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
