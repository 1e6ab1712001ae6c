import type { Device } from '@qlora-js/kernels';
import type { CallbackContext, LogRow, TrainerCallback } from '@qlora-js/trainer';
import type { Output, ProgressBar } from '../run/output';

/** What a training is shown by. */
export interface ProgressOptions {
  /** Where it is shown. */
  readonly output: Output;
  /** What it is called. Default `train`. */
  readonly label?: string;
  /** Whose memory is shown. */
  readonly device?: Pick<Device, 'memory'>;
  /** The figure of evaluations that is shown beside the loss, without `eval_`. Default f1. */
  readonly metric?: string;
  /** Milliseconds, growing. Default performance.now. */
  readonly now?: () => number;
}

/** A status line for training, one for each evaluation, and a line for each log row. */
export class ProgressCallback implements TrainerCallback {
  private training: ProgressBar | undefined;
  private evaluation: ProgressBar | undefined;
  private logged: LogRow = {};
  private memory: string | undefined;
  /** After the first step, which on a GPU builds what the others use. */
  private begun: { readonly at: number; readonly tokens: number } | undefined;
  private readonly now: () => number;

  constructor(private readonly options: ProgressOptions) {
    this.now = options.now ?? (() => performance.now());
  }

  onTrainBegin({ state }: CallbackContext): void {
    const { output, label = 'train' } = this.options;
    this.training = output.bar(label, state.maxSteps);
    if (state.globalStep > 0) this.training.update(state.globalStep);
  }

  onStepEnd({ state }: CallbackContext): void {
    this.begun ??= { at: this.now(), tokens: state.numInputTokensSeen };
    const tokens = state.numInputTokensSeen - this.begun.tokens;
    const seconds = (this.now() - this.begun.at) / 1000;
    const { loss, learning_rate: rate } = this.logged;
    const evaluated = `eval_${this.options.metric ?? 'f1'}`;
    const value = this.logged[evaluated];
    const notes = [
      loss === undefined ? undefined : `loss ${loss.toFixed(4)}`,
      tokens > 0 && seconds > 0 ? `${Math.round(tokens / seconds)} tokens/s` : undefined,
      value === undefined ? undefined : `${evaluated} ${value.toFixed(4)}`,
      this.memory,
      rate === undefined ? undefined : `lr ${rate.toExponential(2)}`,
    ];
    this.training?.update(state.globalStep, ...notes.filter((note) => note !== undefined));
  }

  onPredictionStep({ done, total }: CallbackContext & { readonly done: number; readonly total: number }): void {
    this.evaluation ??= this.options.output.bar('evaluate', total);
    this.evaluation.update(done);
    if (done < total) return;
    this.evaluation.stop();
    this.evaluation = undefined;
  }

  onLog({ logs }: CallbackContext & { readonly logs: LogRow }): void {
    const { output, device } = this.options;
    this.logged = { ...this.logged, ...logs };
    if (device !== undefined) this.memory = `${(device.memory().currentBytes / 2 ** 30).toFixed(2)} GiB`;
    output.line(formatLog(logs));
  }

  /** Takes the lines away; a training that fails or is stopped has no end of its own. */
  onTrainEnd(): void {
    for (const bar of [this.training, this.evaluation]) bar?.stop();
    this.training = undefined;
    this.evaluation = undefined;
  }
}

/** A log row as one line: step and epoch first. */
export function formatLog(logs: LogRow): string {
  const order = ['step', 'epoch'];
  const keys = [...order, ...Object.keys(logs).filter((key) => !order.includes(key))];
  return keys.map((key) => `${key} ${formatNumber(logs[key] ?? NaN)}`).join('  ');
}

function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 1e-3 ? value.toExponential(3) : value.toFixed(4);
}
