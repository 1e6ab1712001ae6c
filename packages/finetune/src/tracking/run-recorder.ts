import { TrialPruned } from '@qlora-js/hpo';
import {
  qloraRunConfig,
  trackingCallback,
  type RunStatus,
  type RunTracking,
  type TrackingCallback,
} from '@qlora-js/tracking';
import { TrainerError, type CallbackContext, type LogRow, type TrainerCallback } from '@qlora-js/trainer';
import type { TrainingContext } from '../run/context';
import type { TrainingSettings } from '../training/settings';
import type { StartTracking } from './start-tracking';

/** What a training is called in trackers. */
export interface RecordedAs {
  /** Name of the run, such as `final_best_QLoRA-NF4`. */
  readonly name: string;
  /** W&B's job type. */
  readonly jobType: 'trial' | 'final';
  /** The part of the work, as the config says it. */
  readonly phase: 'search' | 'final_training';
}

/** Records a training from its first step on: the trainer's log rows and the epochs' figures. */
export class RunRecorder implements TrainerCallback {
  /** Undefined before the training begins. */
  tracking: RunTracking | undefined;
  private callback: TrackingCallback | undefined;
  private step = 0;

  constructor(
    private readonly context: TrainingContext,
    private readonly run: {
      readonly start: StartTracking;
      readonly adapterName: string;
      readonly training: TrainingSettings;
      readonly recordedAs: RecordedAs;
    },
  ) {}

  async onTrainBegin({ state }: CallbackContext): Promise<void> {
    const { start, adapterName, training, recordedAs } = this.run;
    const { name, jobType, phase } = recordedAs;
    const config = runConfig(this.context, { training, phase, maxSteps: state.maxSteps });
    this.tracking = await start(adapterName, { name, jobType, config });
    this.callback = trackingCallback(this.tracking);
  }

  onStepEnd({ state }: CallbackContext): void {
    this.step = state.globalStep;
  }

  onLog({ logs }: CallbackContext & { readonly logs: LogRow }): void {
    // Without loss scaling no step is left out, and the trainer doesn't say so.
    this.record(logs['loss'] === undefined ? logs : { skipped_steps: 0, ...logs });
  }

  /** Records a row that is not of the trainer's log, such as an epoch's speed. */
  record(logs: LogRow): void {
    this.callback?.onLog({ state: { globalStep: this.step }, logs });
  }

  /** Ends the record of a training that has failed, been pruned, or been stopped; what trackers lack is sent meanwhile. */
  endWith(error: unknown): void {
    void this.tracking?.finish(statusOf(error));
  }
}

function statusOf(error: unknown): RunStatus {
  if (TrialPruned.isInstance(error)) return 'pruned';
  return TrainerError.isInstance(error) && error.code === 'STOPPED' ? 'interrupted' : 'failed';
}

/** The reference's config under its names, then the arguments under transformers' and PEFT's. */
function runConfig(
  { settings, base, device, learning, splits }: TrainingContext,
  run: { readonly training: TrainingSettings; readonly phase: RecordedAs['phase']; readonly maxSteps: number },
): Record<string, unknown> {
  const { quantization, lora, padding, seed } = settings;
  const { training, phase, maxSteps } = run;
  return {
    ...qloraRunConfig({
      model: base.id,
      quantType: quantization?.quantType ?? 'none',
      doubleQuant: quantization?.doubleQuant ?? false,
      computeDtype: device.info.computeDtype,
      phase,
      maxLength: padding.maxLength,
    }),
    learning_rate: training.learningRate,
    per_device_train_batch_size: training.perDeviceTrainBatchSize,
    gradient_accumulation_steps: training.gradientAccumulationSteps,
    num_train_epochs: training.numTrainEpochs,
    max_steps: maxSteps,
    weight_decay: training.weightDecay,
    warmup_steps: training.warmupSteps,
    max_grad_norm: training.maxGradNorm,
    lr_scheduler_type: training.lrSchedulerType,
    optim: training.optim,
    lora_r: lora.r,
    lora_alpha: lora.loraAlpha,
    lora_dropout: lora.loraDropout,
    seed,
    backend: device.backend,
    task: learning.task,
    dataset: learning.dataName,
    train_rows: splits.train.numRows,
  };
}
