import type { ActivationDtype } from '@qlora-js/gpt2';
import type {
  MetricScheduleOptions,
  MetricSchedulerType,
  OptimizerName,
  ScheduleOptions,
  SchedulerType,
} from '@qlora-js/optim';

/** When something is done: never, every so many steps, or after each epoch. */
export type IntervalStrategy = 'no' | 'steps' | 'epoch';

/** When checkpoints are written; `best` after each evaluation that is the best so far. */
export type SaveStrategy = IntervalStrategy | 'best';

/** What a schedule takes beside the warm-up, by transformers' names in camelCase. */
export type SchedulerOptions = Omit<ScheduleOptions, 'learningRate' | 'warmupSteps' | 'trainingSteps'> &
  Omit<MetricScheduleOptions, 'learningRate'>;

/** transformers' TrainingArguments (training_args.py) in camelCase, with its defaults where nothing else is said. */
export interface TrainingArguments {
  /** Where checkpoints go. */
  readonly outputDir: string;
  /** Rows of a micro-batch; default 8. */
  readonly perDeviceTrainBatchSize: number;
  /** Rows of a batch in evaluations; default 8. */
  readonly perDeviceEvalBatchSize: number;
  /** Micro-batches whose gradients make one optimiser step; the loss is the mean over all of them. Default 1. */
  readonly gradientAccumulationSteps: number;
  /** Leaves out a last micro-batch that is not full. Default false. */
  readonly dataloaderDropLast: boolean;
  /** Default 5e-5. */
  readonly learningRate: number;
  /** Default 0. */
  readonly weightDecay: number;
  /** Default 0.9. */
  readonly adamBeta1: number;
  /** Default 0.999. */
  readonly adamBeta2: number;
  /** Default 1e-8. */
  readonly adamEpsilon: number;
  /** Bound of the gradients' global L2 norm, default 1; 0 turns clipping off. */
  readonly maxGradNorm: number;
  /** Default 3; may be a fraction. */
  readonly numTrainEpochs: number;
  /** Optimiser steps in all; -1 (default) leaves it to numTrainEpochs. */
  readonly maxSteps: number;
  /**
   * Default linear. `reduce_lr_on_plateau` and `greedy` go by metricForBestModel, evaluation by evaluation, and know no
   * warm-up.
   */
  readonly lrSchedulerType: SchedulerType | MetricSchedulerType;
  /** What the schedule takes: `numCycles`, `power` and so on. Default nothing. */
  readonly lrSchedulerKwargs: SchedulerOptions;
  /** Steps of warm-up; below 1, the fraction of all steps. Default 0. */
  readonly warmupSteps: number;
  /** `adamw_torch` (default) and `adamw_torch_fused` are one here, and so are bitsandbytes' two names of 8-bit AdamW. */
  readonly optim: OptimizerName | 'adamw_torch_fused';
  /** 0 to 1: how much of the target goes to all labels alike. Default 0. */
  readonly labelSmoothingFactor: number;
  /** Default steps. */
  readonly loggingStrategy: IntervalStrategy;
  /** Steps between two log rows; default 500. */
  readonly loggingSteps: number;
  /** Whether the first step has a log row of its own. Default false. */
  readonly loggingFirstStep: boolean;
  /** Default no. */
  readonly evalStrategy: IntervalStrategy;
  /** Default: loggingSteps where the strategy is steps. */
  readonly evalSteps: number;
  /** Steps, or with the strategy epoch epochs, before the first evaluation. Default 0. */
  readonly evalDelay: number;
  /** Default no, unlike transformers' steps: without a store on disk there is nothing to keep. */
  readonly saveStrategy: SaveStrategy;
  /** Default 500; evalSteps while the best model is to be loaded. */
  readonly saveSteps: number;
  /** Checkpoints to keep, the best one always among them; null (default) keeps all. */
  readonly saveTotalLimit: number | null;
  /** Default false. */
  readonly loadBestModelAtEnd: boolean;
  /** With or without eval_. Default: loss where the best is looked for or the schedule goes by a metric, else null. */
  readonly metricForBestModel: string | null;
  /** Default: true unless the metric ends in loss. */
  readonly greaterIsBetter: boolean;
  /** Default false. */
  readonly gradientCheckpointing: boolean;
  /** What activations wait in for the backward pass: float16 takes half the memory, as under torch.autocast. */
  readonly activationDtype: ActivationDtype;
  /** Rows of like length together. Default false. */
  readonly groupByLength: boolean;
  /**
   * Scales the loss as torch.amp.GradScaler does, for products in float16: a step whose gradients overflow is left out and
   * halves the scale. Which dtype products have is the device's matter, not this argument's. Default false.
   */
  readonly fp16: boolean;
  /** Draws dropout, and orders the rows where dataSeed says nothing. Default 42. */
  readonly seed: number;
  /** Orders the rows; default seed. */
  readonly dataSeed: number;
  /** Silences the line of progress that a trainer without callbacks writes. Default false. */
  readonly disableTqdm: boolean;
  /** A name for trackers; the trainer itself has no use for it. Default outputDir. */
  readonly runName: string;
  /** For trackers that are callbacks: the trainer connects none by itself. Default none. */
  readonly reportTo: string | readonly string[];
  /** Taken for the sake of scripts; columns that the collator does not ask for are never looked at. Default true. */
  readonly removeUnusedColumns: boolean;
  /** Taken for the sake of scripts; WebGPU's uploads have staging memory of their own. Default true. */
  readonly dataloaderPinMemory: boolean;
  /** Taken for the sake of scripts; a loss that is not finite ends a run here, so there is none to filter. Default true. */
  readonly loggingNanInfFilter: boolean;
  /**
   * true goes on from the newest good checkpoint, from the start where there is none; a checkpoint's name or path from that
   * one. Default false.
   */
  readonly resumeFromCheckpoint: boolean | string;
  /**
   * Names of what may differ from the run that is resumed: `data`, `base`, `seed`, `perDeviceTrainBatchSize` and so on, as the
   * refusal names them. Default none: a resumed run comes to the same as one that was never stopped.
   */
  readonly acceptChanges: readonly string[];
  /** Deletes the checkpoints that an earlier run has left in outputDir; without it a new run there is refused. */
  readonly overwriteOutputDir: boolean;
}
