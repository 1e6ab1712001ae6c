import { DataCollatorWithPadding } from '@qlora-js/data';
import { ensureWritableFolder } from '@qlora-js/hub/node';
import { assignDropoutSites } from '@qlora-js/kernels';
import {
  SpeedMemCallback,
  sequenceClassifier,
  Trainer,
  trainingArguments,
  type TrainerCallback,
  type TrainOutput,
} from '@qlora-js/trainer';
import { folderCheckpoints } from '@qlora-js/trainer/node';
import { join } from 'node:path';
import { ProgressCallback } from '../terminal/progress-callback';
import { adapterConfig } from './base';
import type { RunContext } from './context';

/** What a search may vary. */
export interface TrainingParameters {
  readonly learningRate: number;
  readonly perDeviceTrainBatchSize: number;
  readonly numTrainEpochs: number;
  readonly weightDecay: number;
  readonly warmupSteps: number;
}

export interface TrainingRun {
  readonly trainer: Trainer;
  readonly output: TrainOutput;
  readonly speed: SpeedMemCallback;
}

export interface TrainingOptions {
  readonly parameters: TrainingParameters;
  /** Name of the adapter to add and train. */
  readonly adapterName: string;
  readonly label: string;
  readonly callbacks?: readonly TrainerCallback[];
}

/** Folder under the output folder where checkpoints of a training go. */
export function checkpointFolder(outputDir: string, adapterName: string): string {
  return join(outputDir, 'checkpoints', adapterName);
}

/** Adds a new adapter to the frozen base and trains it, the best one by validation F1 loaded at the end. */
export async function trainAdapter(
  context: RunContext,
  { parameters, adapterName, label, callbacks = [] }: TrainingOptions,
): Promise<TrainingRun> {
  const { options, base, model, splits, device, output, replicas } = context;
  model.addAdapter(adapterName, adapterConfig(base, options), { seed: options.seed });
  // Names differ between trials and the final training, sites must not: the same parameters give the same run.
  assignDropoutSites(model.base);
  const folder = checkpointFolder(options.outputDir, adapterName);
  await ensureWritableFolder(folder);
  const speed = new SpeedMemCallback({
    device,
    approxTrainTokens: splits.train.numRows * options.maxLength,
    log: (line) => output.line(line),
  });
  const trainer = new Trainer({
    model: sequenceClassifier(model, { padTokenId: base.padTokenId }),
    device,
    replicas,
    args: trainingArguments({
      outputDir: folder,
      overwriteOutputDir: true,
      ...parameters,
      perDeviceEvalBatchSize: options.perDeviceEvalBatchSize,
      gradientAccumulationSteps: options.gradientAccumulationSteps,
      gradientCheckpointing: options.gradientCheckpointing,
      activationDtype: options.activationDtype,
      maxGradNorm: options.maxGradNorm,
      optim: options.optim,
      lrSchedulerType: options.lrSchedulerType,
      evalStrategy: 'steps',
      evalSteps: options.evalSteps,
      loggingSteps: options.loggingSteps,
      loadBestModelAtEnd: true,
      metricForBestModel: 'f1',
      saveTotalLimit: 1,
      groupByLength: options.groupByLength,
      fp16: options.fp16,
      seed: options.seed,
    }),
    trainDataset: splits.train,
    evalDataset: splits.validation,
    collator: new DataCollatorWithPadding({
      padTokenId: base.padTokenId,
      paddingSide: options.paddingSide,
      padding: options.padding,
      maxLength: options.maxLength,
    }),
    callbacks: [speed, new ProgressCallback(output, label), ...callbacks],
    checkpoints: folderCheckpoints(folder),
  });
  return { trainer, output: await trainer.train(), speed };
}
