import type { Device } from '@qlora-js/kernels';
import type { LogRow } from '../state/trainer-state';
import type { CallbackContext, TrainerCallback } from './callback';

export interface SpeedMemOptions {
  readonly device: Device;
  /** Training rows x maximum length: what tokens_per_sec_est divides by, padding counted as if every row were full. */
  readonly approxTrainTokens: number;
  /** Takes each epoch's row and, at the end, the total. */
  readonly log?: (line: string, row: LogRow) => void;
  /** Milliseconds, growing. Default: performance.now. */
  readonly now?: () => number;
}

/**
 * Logs each epoch's time, token rates and peak memory. `tokens_per_sec_est` is the reference notebook's figure, an
 * estimate from padded lengths; `real_tokens_per_sec` beside it counts the tokens that were there.
 */
export class SpeedMemCallback implements TrainerCallback {
  /** One row an epoch. */
  readonly epochs: LogRow[] = [];
  totalTimeSec = 0;
  private readonly now: () => number;
  private started = 0;
  private epochStarted = 0;
  private tokensBefore = 0;

  constructor(private readonly options: SpeedMemOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  onTrainBegin(): void {
    this.started = this.now();
  }

  async onEpochBegin({ state }: CallbackContext): Promise<void> {
    await this.options.device.synchronize();
    this.options.device.resetPeakMemory();
    this.epochStarted = this.now();
    this.tokensBefore = state.numInputTokensSeen;
  }

  async onEpochEnd({ state }: CallbackContext): Promise<void> {
    await this.options.device.synchronize();
    const seconds = (this.now() - this.epochStarted) / 1000;
    const row = {
      epoch: state.epoch,
      epoch_time_sec: seconds,
      tokens_per_sec_est: this.options.approxTrainTokens / seconds,
      real_tokens_per_sec: (state.numInputTokensSeen - this.tokensBefore) / seconds,
      gpu_max_mem_allocated_GiB: this.options.device.memory().peakBytes / 2 ** 30,
    };
    this.epochs.push(row);
    this.options.log?.(formatRow(row), row);
  }

  onTrainEnd(): void {
    this.totalTimeSec = (this.now() - this.started) / 1000;
    this.options.log?.(`total training time ${this.totalTimeSec.toFixed(1)} s`, { total_time_sec: this.totalTimeSec });
  }
}

function formatRow(row: SpeedRow): string {
  return [
    `epoch ${row.epoch.toFixed(2)}`,
    `epoch_time_sec ${row.epoch_time_sec.toFixed(1)}`,
    `tokens_per_sec_est ${row.tokens_per_sec_est.toFixed(0)}`,
    `real_tokens_per_sec ${row.real_tokens_per_sec.toFixed(0)}`,
    `gpu_max_mem_allocated_GiB ${row.gpu_max_mem_allocated_GiB.toFixed(3)}`,
  ].join('  ');
}

interface SpeedRow {
  readonly epoch: number;
  readonly epoch_time_sec: number;
  readonly tokens_per_sec_est: number;
  readonly real_tokens_per_sec: number;
  readonly gpu_max_mem_allocated_GiB: number;
}
