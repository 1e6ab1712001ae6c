import type { Device } from '@qlora-js/kernels';
import type { CallbackContext, LogRow, TrainerCallback } from '@qlora-js/trainer';
import type { RunEvent } from './protocol';

/** Steps that the rate of tokens is taken over. */
const RATE_STEPS = 8;

/** What a run's callback works with. */
export interface RunCallbackOptions {
  readonly device: Device;
  readonly tell: (event: RunEvent) => void;
  /** Called after each step, for what the page has asked meanwhile. */
  readonly betweenSteps: (step: number) => Promise<void>;
}

/** Tells the page where a training stands, and lets it pause or stop the training. */
export class RunCallback implements TrainerCallback {
  private stopping = false;
  private atRest = false;
  private done = 0;
  private goOn: (() => void) | undefined;
  private held: Promise<void> | undefined;
  private begun = { time: 0, step: 0 };
  private stepBegun = { time: 0, tokens: 0 };
  private readonly recent: { readonly seconds: number; readonly tokens: number }[] = [];

  constructor(private readonly options: RunCallbackOptions) {}

  /** Whether a pause has been reached: no step is under way. */
  get resting(): boolean {
    return this.atRest;
  }

  /** Steps that are done. */
  get step(): number {
    return this.done;
  }

  pause(paused: boolean): void {
    if (paused === (this.held !== undefined)) return;
    if (paused) this.held = new Promise((resolve) => (this.goOn = resolve));
    else {
      this.held = undefined;
      this.goOn?.();
    }
    this.options.tell({ kind: 'paused', paused });
  }

  stop(): void {
    this.stopping = true;
    this.pause(false);
  }

  onTrainBegin({ state }: CallbackContext): void {
    this.begun = { time: performance.now(), step: state.globalStep };
    this.options.tell({
      kind: 'begun',
      step: state.globalStep,
      maxSteps: state.maxSteps,
      rows: state.logHistory,
    });
  }

  onStepBegin({ state }: CallbackContext): void {
    this.stepBegun = { time: performance.now(), tokens: state.numInputTokensSeen };
  }

  async onStepEnd({ state, control }: CallbackContext): Promise<void> {
    const { globalStep: step, maxSteps, epoch, numInputTokensSeen } = state;
    const now = performance.now();
    this.done = step;
    this.recent.push({
      seconds: (now - this.stepBegun.time) / 1000,
      tokens: numInputTokensSeen - this.stepBegun.tokens,
    });
    if (this.recent.length > RATE_STEPS) this.recent.shift();
    const sum = (of: 'seconds' | 'tokens'): number => this.recent.reduce((total, row) => total + row[of], 0);
    this.options.tell({
      kind: 'step',
      step,
      maxSteps,
      epoch,
      tokensPerSecond: sum('tokens') / sum('seconds'),
      secondsLeft: ((now - this.begun.time) / 1000 / (step - this.begun.step)) * (maxSteps - step),
      memoryBytes: this.options.device.memory().allocatedBytes,
    });
    await this.options.betweenSteps(step);
    await this.hold();
    if (!this.stopping) return;
    // What was learned up to here counts: it is evaluated and saved as at the end.
    Object.assign(control, { shouldTrainingStop: true, shouldEvaluate: true, shouldSave: true });
  }

  onLog({ logs }: CallbackContext & { readonly logs: LogRow }): void {
    this.options.tell({ kind: 'row', row: logs });
  }

  async onPredictionStep({ done, total }: CallbackContext & { readonly done: number; readonly total: number }) {
    this.options.tell({ kind: 'evaluating', done, total });
    // An evaluation is one turn of the event loop otherwise: nothing that the page asks would be heard.
    await turn();
  }

  /** Waits while the run is paused; the time is not the training's. */
  private async hold(): Promise<void> {
    const from = performance.now();
    await turn();
    this.atRest = true;
    while (this.held !== undefined) await this.held;
    this.atRest = false;
    this.begun.time += performance.now() - from;
  }
}

/** Lets the messages that have come be heard. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
