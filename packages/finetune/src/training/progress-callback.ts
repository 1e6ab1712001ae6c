import type { CallbackContext, LogRow, TrainerCallback } from '@qlora-js/trainer';
import type { Output, ProgressBar } from '../run/output';

/** A bar for training, a bar for each evaluation, and a line for each log row. */
export class ProgressCallback implements TrainerCallback {
  private training: ProgressBar | undefined;
  private evaluation: ProgressBar | undefined;
  private lastLoss = '';

  constructor(
    private readonly output: Output,
    private readonly label = 'train',
  ) {}

  onTrainBegin({ state }: CallbackContext): void {
    this.training = this.output.bar(this.label, state.maxSteps);
  }

  onStepEnd({ state }: CallbackContext): void {
    this.training?.update(state.globalStep, this.lastLoss);
  }

  onPredictionStep({ done, total }: CallbackContext & { readonly done: number; readonly total: number }): void {
    // While training runs its bar stays; a bar inside a bar would fight over the line.
    if (this.training !== undefined) return;
    this.evaluation ??= this.output.bar('evaluate', total);
    this.evaluation.update(done);
    if (done === total) {
      this.evaluation.stop();
      this.evaluation = undefined;
    }
  }

  onLog({ logs }: CallbackContext & { readonly logs: LogRow }): void {
    if (logs['loss'] !== undefined) this.lastLoss = `loss ${logs['loss'].toFixed(4)}`;
    this.output.line(formatLog(logs));
  }

  onTrainEnd(): void {
    this.training?.stop();
    this.training = undefined;
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
