import { assignDropoutSites } from '@qlora-js/kernels';
import { SpeedMemCallback, Trainer, trainingArguments, type TrainerCallback } from '@qlora-js/trainer';
import { adapterConfig } from '../model/adapter-config';
import type { TrainingContext } from '../run/context';
import { RunRecorder, type RecordedAs } from '../tracking/run-recorder';
import { ProgressCallback } from './progress-callback';
import type { TrainingSettings } from './settings';
import type { TrainedAdapter } from './trained-adapter';

/** What is trained, and how it is watched. */
export interface TrainAdapterOptions {
  /** Arguments that differ from the run's. */
  readonly parameters?: Partial<TrainingSettings>;
  /** Name of the adapter to add and train. */
  readonly adapterName: string;
  /** What its status line is called. */
  readonly label: string;
  /** What its record is called, where the context keeps records. Default: none is kept. */
  readonly recordedAs?: RecordedAs;
  /** Whether each checkpoint holds all that labelling texts with it takes, as a saved adapter does. Default false. */
  readonly wholeCheckpoints?: boolean;
  /** Listens beside the run's own callbacks. */
  readonly callbacks?: readonly TrainerCallback[];
  /** Goes on from this adapter's newest checkpoint, or from the one named. Default false. */
  readonly resumeFromCheckpoint?: boolean | string;
}

/** Adds a new adapter to the frozen base and trains it, the best one by its goal on the validation rows loaded at the end. */
export async function trainAdapter(context: TrainingContext, options: TrainAdapterOptions): Promise<TrainedAdapter> {
  const { settings, base, model, learning, splits, device, output, replicas, signal, resumeBy } = context;
  const { goal, taskType, collator } = learning;
  const { parameters = {}, adapterName, label, recordedAs, callbacks = [], resumeFromCheckpoint = false } = options;
  const { wholeCheckpoints = false } = options;
  const { startTracking: start } = context;
  model.addAdapter(adapterName, adapterConfig(base, settings.lora, taskType), { seed: settings.seed });
  // Names differ between trials and the final training, sites must not: the same parameters give the same run.
  assignDropoutSites(model.base);
  const training: TrainingSettings = { ...settings.training, ...parameters };
  const recorder =
    start === undefined || recordedAs === undefined
      ? undefined
      : new RunRecorder(context, { start, adapterName, training, recordedAs });
  const progress = new ProgressCallback({ output, label, device, metric: goal.metric });
  const speed = new SpeedMemCallback({
    device,
    approxTrainTokens: splits.train.numRows * settings.padding.maxLength,
    log: (line, row) => {
      output.line(line);
      recorder?.record(row);
    },
  });
  const checkpoints = context.checkpoints?.(adapterName);
  const trained = learning.trainable();
  const files = async (): ReturnType<typeof trained.files> => ({
    ...(await trained.files()),
    ...(await learning.describingFiles()),
  });
  const trainer = new Trainer({
    model: wholeCheckpoints ? { ...trained, files } : trained,
    device,
    replicas,
    args: trainingArguments({
      outputDir: adapterName,
      ...training,
      // The best step must be a saved one.
      saveSteps: Math.max(1, Math.round(training.saveSteps / training.evalSteps)) * training.evalSteps,
      evalStrategy: 'steps',
      loadBestModelAtEnd: true,
      metricForBestModel: goal.metric,
      greaterIsBetter: goal.direction === 'maximize',
      seed: settings.seed,
      resumeFromCheckpoint,
      overwriteOutputDir: resumeFromCheckpoint === false,
    }),
    trainDataset: splits.train,
    evalDataset: splits.validation,
    collator,
    callbacks: [...(recorder === undefined ? [] : [recorder]), speed, progress, ...context.callbacks, ...callbacks],
    ...(checkpoints === undefined ? {} : { checkpoints }),
    signal,
    resumeBy,
    log: (line) => output.line(line),
  });
  try {
    const result = await trainer.train();
    return { adapterName, trainer, result, speed, training, tracking: recorder?.tracking };
  } catch (error) {
    recorder?.endWith(error);
    throw error;
  } finally {
    progress.onTrainEnd();
  }
}
