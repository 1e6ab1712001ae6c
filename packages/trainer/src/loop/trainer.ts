import {
  batchCount,
  batches,
  type DataCollatorWithPadding,
  LengthGroupedSampler,
  RandomSampler,
  type CollatedBatch,
  type Dataset,
  type PreparedRow,
  type Sampler,
} from '@qlora-js/data';
import type { ConfusionMetrics } from '@qlora-js/metrics';
import type { Device } from '@qlora-js/kernels';
import { createOptimizer, createSchedule, decayGroups, GradScaler, type NamedVariable } from '@qlora-js/optim';
import { warmupStepCount, type TrainingArguments } from '../arguments/training-arguments';
import type { CallbackContext, TrainerCallback, TrainerControl } from '../callbacks/callback';
import { MemoryCheckpoints, type CheckpointStore } from '../checkpoints/store';
import { CheckpointKeeper } from '../checkpoints/keeper';
import { TrainerError } from '../errors';
import { evaluate, Evaluator, type Evaluation } from '../evaluation/evaluate';
import { evaluationBatches } from '../evaluation/batches';
import { checkFiniteWeights } from '../model/finite-weights';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { Replicas } from '../replicas/replicas';
import { newTrainerState, trainerStateJson, type LogRow, type TrainerState } from '../state/trainer-state';
import { LossLog } from './loss-log';
import { EagerSteps } from './eager-steps';
import { PlannedSteps } from './planned-steps';
import type { TrainingSteps } from './step-parts';

export type PreparedDataset = Dataset<PreparedRow>;

export interface TrainerOptions<Batch extends UploadedBatch> {
  readonly model: TrainableModel<Batch>;
  readonly args: TrainingArguments;
  readonly trainDataset: PreparedDataset;
  readonly evalDataset?: PreparedDataset;
  /** Where it is a GPU, training steps are recorded as plans and replayed; without it they go through tfjs op by op. */
  readonly device?: Device;
  /**
   * Copies of the model in threads of their own that take a part of each micro-batch's rows, on wasm and cpu; on another
   * backend they are an error. They stay the caller's, who disposes of them, unless one fails, which ends them all.
   * Evaluations are dealt out to them by whole batches, to the same bits.
   */
  readonly replicas?: Replicas;
  /** Pads training batches. */
  readonly collator: DataCollatorWithPadding;
  readonly callbacks?: readonly TrainerCallback[];
  /** Where checkpoints go; default: memory. */
  readonly checkpoints?: CheckpointStore;
  /** Names what an evaluation logs. Default: accuracy, weighted f1 as `f1`, and f1_macro. */
  readonly computeMetrics?: (metrics: ConfusionMetrics) => Record<string, number>;
  /** Ends the run before the next step, with an error of code STOPPED. */
  readonly signal?: AbortSignal;
}

export interface TrainOutput {
  readonly globalStep: number;
  /** Mean loss over all steps. */
  readonly trainingLoss: number;
  readonly seconds: number;
  readonly bestMetric: number | null;
  readonly bestModelCheckpoint: string | null;
}

/** What lives as long as a training. */
interface Running {
  readonly steps: TrainingSteps;
  readonly schedule: (step: number) => number;
  readonly losses: LossLog;
  readonly scaler: GradScaler;
}

/** transformers' Trainer for a classifier with adapters: its arguments, its log rows, its order of events. */
export class Trainer<Batch extends UploadedBatch = UploadedBatch> {
  readonly state: TrainerState = newTrainerState();
  private readonly control: TrainerControl = {
    shouldTrainingStop: false,
    shouldLog: false,
    shouldEvaluate: false,
    shouldSave: false,
  };
  private readonly callbacks: readonly TrainerCallback[];
  private readonly keeper: CheckpointKeeper;
  private trained: readonly NamedVariable[] = [];
  /** While training, so that each evaluation goes on with what the first has recorded. */
  private evaluator: Evaluator<Batch> | undefined;

  constructor(private readonly options: TrainerOptions<Batch>) {
    const { args, trainDataset, evalDataset, callbacks = [], checkpoints = new MemoryCheckpoints() } = options;
    if (trainDataset.numRows === 0) throw new TrainerError('NO_DATA', 'the training data set has no rows');
    if (args.evalStrategy !== 'no' && (evalDataset === undefined || evalDataset.numRows === 0)) {
      throw new TrainerError('NO_DATA', `evalStrategy is '${args.evalStrategy}', but there is no evaluation data set`);
    }
    this.callbacks = callbacks;
    this.keeper = new CheckpointKeeper(checkpoints, args);
  }

  async train(): Promise<TrainOutput> {
    const { args, model, trainDataset, replicas } = this.options;
    if (args.saveStrategy !== 'no') await this.keeper.check();
    const started = performance.now();
    const windowsPerEpoch = Math.ceil(
      batchCount(trainDataset.numRows, { batchSize: args.perDeviceTrainBatchSize }) / args.gradientAccumulationSteps,
    );
    const totalSteps = args.maxSteps > 0 ? args.maxSteps : Math.ceil(args.numTrainEpochs * windowsPerEpoch);
    const epochs = args.maxSteps > 0 ? Math.ceil(totalSteps / windowsPerEpoch) : Math.ceil(args.numTrainEpochs);
    Object.assign(this.state, newTrainerState(), {
      maxSteps: totalSteps,
      numTrainEpochs: epochs,
      trainBatchSize: args.perDeviceTrainBatchSize,
    });
    Object.assign(this.control, { shouldTrainingStop: false });
    const { gradientCheckpointing, activationDtype } = args;
    model.setGradientCheckpointing(gradientCheckpointing);
    model.setActivationDtype(activationDtype);
    await replicas?.configure({ gradientCheckpointing, activationDtype });
    this.trained = model.trainedVariables();
    const optimizer = createOptimizer(args.optim, decayGroups(this.trained, args.weightDecay), {
      betas: [args.adamBeta1, args.adamBeta2],
      epsilon: args.adamEpsilon,
    });
    const schedule = createSchedule(args.lrSchedulerType, {
      learningRate: args.learningRate,
      warmupSteps: warmupStepCount(args, totalSteps),
      trainingSteps: totalSteps,
    });
    const losses = new LossLog(args.fp16);
    const scaler = new GradScaler({ enabled: args.fp16 });
    const parts = { model, trained: this.trained, optimizer, losses, scaler, maxGradNorm: args.maxGradNorm, replicas };
    const { device } = this.options;
    const steps = device?.backend === 'webgpu' ? new PlannedSteps(parts, device) : new EagerSteps(parts);
    this.evaluator = new Evaluator(model, { device, replicas });
    let trainingLoss: number;
    try {
      await this.emit('onTrainBegin');
      for (let epoch = 0; epoch < epochs && !this.control.shouldTrainingStop; epoch++) {
        await this.emit('onEpochBegin');
        await this.epoch(epoch, windowsPerEpoch, { steps, schedule, losses, scaler });
        await this.emit('onEpochEnd');
        this.control.shouldEvaluate = args.evalStrategy === 'epoch';
        this.control.shouldSave = args.saveStrategy === 'epoch';
        await this.logEvaluateSave();
      }
      await checkFiniteWeights(this.trained, this.state.globalStep);
      await this.keeper.loadBest(this.state, model);
      trainingLoss = await losses.mean();
    } finally {
      steps.dispose();
      this.evaluator.dispose();
      this.evaluator = undefined;
      optimizer.dispose();
      losses.dispose();
      scaler.dispose();
    }
    const seconds = (performance.now() - started) / 1000;
    await this.log({
      train_runtime: seconds,
      train_samples_per_second:
        (this.state.globalStep * args.perDeviceTrainBatchSize * args.gradientAccumulationSteps) / seconds,
      train_steps_per_second: this.state.globalStep / seconds,
      train_loss: trainingLoss,
    });
    await this.keeper.finish(this.state);
    await this.emit('onTrainEnd');
    const { globalStep, bestMetric, bestModelCheckpoint } = this.state;
    return { globalStep, trainingLoss, seconds, bestMetric, bestModelCheckpoint };
  }

  /** Loss and metrics on a data set, with their keys prefixed (`eval_accuracy`); logged and sent to callbacks. */
  async evaluate(dataset: PreparedDataset | undefined = this.options.evalDataset, prefix = 'eval'): Promise<LogRow> {
    const result = await this.evaluation(dataset);
    const compute = this.options.computeMetrics ?? defaultMetrics;
    const named = Object.entries({ loss: result.loss, ...compute(result.metrics) });
    const row: LogRow = {
      ...Object.fromEntries(named.map(([key, value]) => [`${prefix}_${key}`, value])),
      [`${prefix}_runtime`]: result.seconds,
      [`${prefix}_samples_per_second`]: result.rows / result.seconds,
      [`${prefix}_steps_per_second`]: result.batches / result.seconds,
    };
    await this.log(row);
    await this.emit('onEvaluate', { metrics: row });
    return row;
  }

  /** The same without log or callbacks, with the confusion matrix. */
  async evaluation(dataset: PreparedDataset | undefined = this.options.evalDataset): Promise<Evaluation> {
    const { model, args, collator } = this.options;
    if (dataset === undefined) throw new TrainerError('NO_DATA', 'there is no evaluation data set');
    const list = evaluationBatches(dataset, args.perDeviceEvalBatchSize, collator);
    const { device, replicas } = this.options;
    const onBatch = (done: number, total: number): Promise<void> => this.emit('onPredictionStep', { done, total });
    if (this.evaluator !== undefined) return this.evaluator.evaluate(list, { onBatch });
    return evaluate(model, list, { onBatch, device, replicas });
  }

  private async epoch(
    epoch: number,
    windowsPerEpoch: number,
    { steps, schedule, losses, scaler }: Running,
  ): Promise<void> {
    const { args } = this.options;
    let done = 0;
    for (const window of this.windows(epoch)) {
      if (this.state.globalStep >= this.state.maxSteps || this.control.shouldTrainingStop) return;
      if (this.options.signal?.aborted === true) {
        throw new TrainerError('STOPPED', `training was stopped at step ${this.state.globalStep}`);
      }
      await this.emit('onStepBegin');
      await this.step(window, steps, schedule(this.state.globalStep));
      done++;
      this.state.globalStep++;
      this.state.epoch = epoch + done / windowsPerEpoch;
      const { globalStep, maxSteps } = this.state;
      await this.emit('onStepEnd');
      this.control.shouldLog ||= globalStep % args.loggingSteps === 0;
      const last = globalStep === maxSteps;
      this.control.shouldEvaluate ||= args.evalStrategy === 'steps' && (globalStep % args.evalSteps === 0 || last);
      this.control.shouldSave ||= args.saveStrategy === 'steps' && (globalStep % args.saveSteps === 0 || last);
      if (this.control.shouldLog) {
        this.control.shouldLog = false;
        await this.log({
          ...(await losses.flush()),
          learning_rate: schedule(globalStep - 1),
          ...(await scaling(scaler)),
        });
      }
      await this.logEvaluateSave();
    }
  }

  private async step(window: CollatedBatch[], steps: TrainingSteps, learningRate: number): Promise<void> {
    const { args } = this.options;
    for (let micro = 1; micro < window.length; micro++) await this.emit('onSubstepEnd');
    await this.emit('onPreOptimizerStep');
    await steps.step(window, { seed: args.seed, step: this.state.globalStep }, learningRate);
    await this.emit('onOptimizerStep');
    this.state.numInputTokensSeen += window.reduce((sum, batch) => sum + batch.realTokens, 0);
  }

  /** The accumulation windows of an epoch: each a list of collated micro-batches; the last may be short. */
  private *windows(epoch: number): Generator<CollatedBatch[]> {
    const { args, trainDataset, collator } = this.options;
    let window: CollatedBatch[] = [];
    for (const indices of batches(this.sampler(), { batchSize: args.perDeviceTrainBatchSize, epoch })) {
      window.push(collator.collate(Array.from(indices, (index) => trainDataset.row(index))));
      if (window.length === args.gradientAccumulationSteps) {
        yield window;
        window = [];
      }
    }
    if (window.length > 0) yield window;
  }

  private sampler(): Sampler {
    const { args, trainDataset } = this.options;
    if (!args.groupByLength) return new RandomSampler({ length: trainDataset.numRows, seed: args.seed });
    return new LengthGroupedSampler({
      lengths: trainDataset.column('input_ids').map((ids) => ids.length),
      batchSize: args.perDeviceTrainBatchSize * args.gradientAccumulationSteps,
      seed: args.seed,
    });
  }

  private async logEvaluateSave(): Promise<void> {
    const { args, model } = this.options;
    let row: LogRow | undefined;
    if (this.control.shouldEvaluate || this.control.shouldSave) {
      await checkFiniteWeights(this.trained, this.state.globalStep);
    }
    if (this.control.shouldEvaluate) {
      this.control.shouldEvaluate = false;
      row = await this.evaluate();
    }
    const improved = row !== undefined && this.keeper.noteMetric(this.state, row);
    if (this.control.shouldSave) {
      this.control.shouldSave = false;
      const stateJson = (): string =>
        trainerStateJson(this.state, { logging: args.loggingSteps, evaluation: args.evalSteps, save: args.saveSteps });
      const checkpoint = await this.keeper.save(this.state, await model.files(), improved, stateJson);
      await this.emit('onSave', { checkpoint });
    }
  }

  private async log(values: LogRow): Promise<void> {
    const row: LogRow = { ...values, epoch: this.state.epoch, step: this.state.globalStep };
    this.state.logHistory.push(row);
    await this.emit('onLog', { logs: row });
  }

  private async emit<Event extends keyof TrainerCallback>(event: Event, extra: object = {}): Promise<void> {
    const context = { args: this.options.args, state: this.state, control: this.control, ...extra } as CallbackContext;
    for (const callback of this.callbacks) {
      await (callback[event] as ((context: CallbackContext) => void | Promise<void>) | undefined)?.call(
        callback,
        context,
      );
    }
  }
}

/** What a log row says of loss scaling. */
async function scaling(scaler: GradScaler): Promise<LogRow> {
  if (!scaler.enabled) return {};
  const { scale, skippedSteps } = await scaler.stats();
  return { loss_scale: scale, skipped_steps: skippedSteps };
}

function defaultMetrics(metrics: ConfusionMetrics): Record<string, number> {
  return { accuracy: metrics.accuracy, f1: metrics.f1.weighted, f1_macro: metrics.f1.macro };
}
