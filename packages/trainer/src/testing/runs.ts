import type { Device } from '@qlora-js/kernels';
import { adapterStateDict, type PeftModel } from '@qlora-js/lora';
import { trainingArguments } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import type { TrainerCallback } from '../callbacks/callback';
import { MemoryCheckpoints, type CheckpointStore } from '../checkpoints/store';
import type { TrainOptions } from '../loop/options';
import { Trainer } from '../loop/trainer';
import { sequenceClassifier } from '../model/sequence-classifier';
import type { LogRow } from '../state/trainer-state';
import type { ReplicaGroup } from '../steps/replica-group';
import { collator, PAD, tinyClassifier, tinyRows, type TinyClassifierOptions } from './tiny-classifier';

/** A training of the tiny classifier, built anew for each call as another process would. */
export interface TinyRun {
  readonly args?: Partial<TrainingArguments>;
  readonly model?: TinyClassifierOptions;
  readonly checkpoints?: CheckpointStore;
  readonly callbacks?: readonly TrainerCallback[];
  readonly device?: Device;
  readonly replicas?: ReplicaGroup;
  readonly signal?: AbortSignal;
  readonly rows?: number;
  readonly rowsSeed?: number;
  readonly train?: TrainOptions;
  readonly log?: (line: string) => void;
  readonly resumeBy?: string;
}

/** What a training has come to, in a form that can be compared. */
export interface TinyResult {
  /** Every bit of the adapter. */
  readonly bits: string;
  /** The log without times. */
  readonly log: readonly LogRow[];
  readonly steps: number;
}

/** Every part that has a state: dropout, an 8-bit optimiser, loss scaling, accumulation with a short last window. */
export const TINY_ARGUMENTS: Partial<TrainingArguments> = {
  outputDir: 'unused',
  learningRate: 5e-3,
  warmupSteps: 2,
  perDeviceTrainBatchSize: 5,
  gradientAccumulationSteps: 2,
  numTrainEpochs: 2,
  loggingSteps: 3,
  evalStrategy: 'steps',
  evalSteps: 2,
  saveStrategy: 'steps',
  saveSteps: 2,
  loadBestModelAtEnd: true,
  optim: 'paged_adamw_8bit',
  fp16: true,
  seed: 1,
};

/** A trainer of the tiny classifier, and its model. */
export function tinyTrainer(run: TinyRun = {}): { trainer: Trainer; model: PeftModel } {
  const { args = {}, checkpoints = new MemoryCheckpoints(), rows = 24, rowsSeed = 0, callbacks = [] } = run;
  const { device, replicas, signal, resumeBy, log = () => undefined } = run;
  const model = tinyClassifier({ quantised: true, ...run.model });
  const trainer = new Trainer({
    model: sequenceClassifier(model, { padTokenId: PAD }),
    args: trainingArguments({ outputDir: 'unused', disableTqdm: true, ...TINY_ARGUMENTS, ...args }),
    trainDataset: tinyRows(rows, rowsSeed),
    evalDataset: tinyRows(12, 1),
    collator: collator(),
    checkpoints,
    callbacks,
    log,
    device,
    replicas,
    signal,
    resumeBy,
  });
  return { trainer, model };
}

/** Trains to the end. */
export async function tinyRun(run: TinyRun = {}): Promise<TinyResult> {
  const { trainer, model } = tinyTrainer(run);
  try {
    const { globalStep } = await trainer.train(run.train);
    return { bits: await bitsOf(model), log: trainer.state.logHistory.map(withoutTimes), steps: globalStep };
  } finally {
    model.dispose();
  }
}

/** Every bit of a model's adapter. */
export async function bitsOf(model: PeftModel): Promise<string> {
  const weights = await adapterStateDict(model);
  return weights.map(({ name, bytes }) => `${name} ${Buffer.from(bytes).toString('base64')}`).join('\n');
}

function withoutTimes(row: LogRow): LogRow {
  return Object.fromEntries(Object.entries(row).filter(([key]) => !/runtime|per_second/.test(key)));
}
