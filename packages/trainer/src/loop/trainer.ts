import type { CollatedBatch, RowStream } from '@qlora-js/data';
import { ProgressLineCallback } from '../callbacks/progress-line';
import type { TrainerControl } from '../callbacks/callback';
import { CheckpointKeeper } from '../checkpoints/keeper';
import { TRAINER_STATE } from '../checkpoints/resume';
import type { RunIdentity } from '../checkpoints/run-identity';
import { encodeStates } from '../checkpoints/state-files';
import { MemoryCheckpoints, type CheckpointStore } from '../checkpoints/store';
import { TrainerError } from '../errors';
import { evaluate, Evaluator, type Evaluation } from '../evaluation/evaluate';
import { evaluationBatches, evaluationOrder } from '../evaluation/batches';
import { defaultMetrics, needsLogits } from '../evaluation/default-metrics';
import { inOrderOfRows, type EvalPrediction } from '../evaluation/prediction';
import { checkFiniteWeights } from '../model/finite-weights';
import { smoothedCrossEntropy, withLoss } from '../model/losses';
import type { LearnedTask, TrainableModel, UploadedBatch } from '../model/trainable-model';
import { newTrainerState, trainerStateJson, type LogRow, type TrainerState } from '../state/trainer-state';
import { Events } from './events';
import type { PredictionOutput, PreparedDataset, TrainerOptions, TrainOptions, TrainOutput } from './options';
import { speedMetrics } from './speed';
import { identityOf, openCheckpoints, type StartOptions } from './start';
import { StreamedData } from './streamed-data';
import { TrainingData, type TrainingWindows } from './training-data';
import { TrainingRun } from './training-run';
import { refuseOneLabel } from './one-label';
import { turn } from './turn';

/** A pass over rows and, where they were kept, their logits. */
interface Pass {
  readonly result: Evaluation;
  readonly prediction: EvalPrediction | undefined;
}

/** transformers' Trainer for a model with adapters: its arguments, its log rows, its order of events. */
export class Trainer<Batch extends UploadedBatch = UploadedBatch> {
  readonly state: TrainerState = newTrainerState();
  private readonly control: TrainerControl = {
    shouldTrainingStop: false,
    shouldLog: false,
    shouldEvaluate: false,
    shouldSave: false,
  };
  private readonly events: Events;
  private readonly store: CheckpointStore;
  private readonly keeper: CheckpointKeeper;
  private readonly log: (line: string) => void;
  /** With the loss that the options ask for. */
  private readonly model: TrainableModel<Batch>;
  private identity: RunIdentity | undefined;
  /** While training, so that each evaluation goes on with what the first has recorded. */
  private evaluator: Evaluator<Batch> | undefined;
  /** Step of the newest checkpoint of this training. */
  private savedStep = -1;

  constructor(private readonly options: TrainerOptions<Batch>) {
    const { args, trainDataset, evalDataset, callbacks = [], checkpoints = new MemoryCheckpoints() } = options;
    if (!isStream(trainDataset) && trainDataset.numRows === 0)
      throw new TrainerError('NO_DATA', 'the training data set has no rows');
    if (args.evalStrategy !== 'no' && (evalDataset === undefined || evalDataset.numRows === 0)) {
      throw new TrainerError('NO_DATA', `evalStrategy is '${args.evalStrategy}', but there is no evaluation data set`);
    }
    const { replicas, log = (line: string) => console.log(line) } = options;
    this.log = log;
    this.checkTask(options);
    const smoothing = args.labelSmoothingFactor > 0 ? smoothedCrossEntropy(args.labelSmoothingFactor) : undefined;
    const loss = options.computeLoss?.bind(options) ?? smoothing;
    if (loss !== undefined && replicas !== undefined) {
      throw new TrainerError('BAD_ARGUMENT', 'a loss of the trainer would not be that of its replicas', {
        remedy: "leave it out here, and give both the replicas' model and this one the loss by withLoss",
      });
    }
    this.model = loss === undefined ? options.model : withLoss(options.model, loss);
    const progress =
      callbacks.length === 0 && !args.disableTqdm ? [new ProgressLineCallback({ log, device: options.device })] : [];
    this.events = new Events([...callbacks, ...progress], { args, state: this.state, control: this.control });
    this.store = checkpoints;
    this.keeper = new CheckpointKeeper(checkpoints, args);
  }

  /**
   * Trains, from the start or from a checkpoint, and leaves the best weights in the model where `loadBestModelAtEnd` is set.
   *
   * @throws TrainerError ONE_LABEL where all rows have the same one, BAD_CHECKPOINT where a run can't be resumed, NON_FINITE, STOPPED, UNWRITABLE; KernelError DEVICE_LOST
   */
  async train(options: TrainOptions = {}): Promise<TrainOutput> {
    const { args } = this.options;
    const { resumeFromCheckpoint = args.resumeFromCheckpoint, acceptChanges = args.acceptChanges } = options;
    const started = performance.now();
    try {
      const { trainingLoss, steps, samples } = await this.trainFrom({ resumeFromCheckpoint, acceptChanges });
      const seconds = (performance.now() - started) / 1000;
      await this.logRow({
        ...speedMetrics({ prefix: 'train', seconds, samples, steps }),
        total_flos: this.state.totalFlos,
        train_loss: trainingLoss,
      });
      await this.keeper.finish(this.state);
      await this.events.emit('onTrainEnd');
      const { globalStep, bestMetric, bestModelCheckpoint } = this.state;
      return { globalStep, trainingLoss, seconds, bestMetric, bestModelCheckpoint };
    } catch (error) {
      await this.sayHowToGoOn(error);
      throw error;
    }
  }

  /** Loss and metrics on a data set, with their keys prefixed (`eval_accuracy`); logged and sent to callbacks. */
  async evaluate(dataset: PreparedDataset | undefined = this.options.evalDataset, prefix = 'eval'): Promise<LogRow> {
    const keepLogits = this.options.computeMetrics !== undefined || needsLogits(this.task);
    const row = await this.metricsOf(await this.passOver(dataset, keepLogits), prefix);
    await this.logRow(row);
    await this.events.emit('onEvaluate', { metrics: row });
    return row;
  }

  /**
   * The logits of every row and, since rows have labels, the metrics they come to; nothing is logged.
   *
   * @throws TrainerError NO_DATA where there are no rows, BAD_ARGUMENT for a language model
   */
  async predict(dataset: PreparedDataset, prefix = 'test'): Promise<PredictionOutput> {
    const pass = await this.passOver(dataset, true);
    const metrics = await this.metricsOf(pass, prefix);
    await this.events.emit('onPredict', { metrics });
    return { ...pass.prediction!, metrics };
  }

  /**
   * The same without log or callbacks; of one label a row with the confusion matrix.
   *
   * @throws TrainerError STOPPED where the signal ends it while it runs in a training
   */
  async evaluation(dataset: PreparedDataset | undefined = this.options.evalDataset): Promise<Evaluation> {
    return (await this.passOver(dataset, false)).result;
  }

  private get resumeBy(): string {
    return this.options.resumeBy ?? 'resumeFromCheckpoint: true';
  }

  private get task(): LearnedTask {
    return this.model.task ?? 'single_label_classification';
  }

  private async passOver(dataset: PreparedDataset | undefined, keepLogits: boolean): Promise<Pass> {
    const { model } = this;
    const { args, collator, device, replicas, signal } = this.options;
    if (dataset === undefined) throw new TrainerError('NO_DATA', 'there is no evaluation data set');
    const list = evaluationBatches(dataset, args.perDeviceEvalBatchSize, collator);
    const onBatch = (done: number, total: number): Promise<void> =>
      this.events.emit('onPredictionStep', { done, total });
    const result =
      this.evaluator === undefined
        ? await evaluate(model, list, { onBatch, keepLogits, device, replicas })
        : await this.evaluator.evaluate(list, { onBatch, keepLogits, signal });
    const { logits } = result;
    return { result, prediction: logits && inOrderOfRows(list, logits, evaluationOrder(dataset)) };
  }

  /** What an evaluation comes to as a row, before epoch and step. */
  private async metricsOf({ result, prediction }: Pass, prefix: string): Promise<LogRow> {
    const { computeMetrics } = this.options;
    const metrics = computeMetrics?.(prediction!) ?? (await defaultMetrics(this.task, result, prediction));
    const named = Object.entries({ loss: result.loss, ...metrics });
    return {
      ...Object.fromEntries(named.map(([key, value]) => [`${prefix}_${key}`, value])),
      ...speedMetrics({ prefix, seconds: result.seconds, samples: result.rows, steps: result.batches }),
    };
  }

  /** @throws TrainerError BAD_ARGUMENT for options that mean nothing in what the model learns */
  private checkTask({ model, args, computeMetrics }: TrainerOptions<Batch>): void {
    const { task } = model;
    const refuse = (name: string, remedy: string): never => {
      throw new TrainerError('BAD_ARGUMENT', `${name} means nothing where a model learns ${task}`, { remedy });
    };
    if (args.labelSmoothingFactor > 0 && (task === 'multi_label_classification' || task === 'regression'))
      refuse('labelSmoothingFactor', 'leave it at 0');
    if (computeMetrics !== undefined && task === 'causal_lm')
      refuse('computeMetrics', 'its logits, one a token and word of the vocabulary, are not kept: leave it out');
  }

  /** Runs the epochs, and says what they came to in this call. */
  private async trainFrom(start: StartOptions): Promise<{ trainingLoss: number; steps: number; samples: number }> {
    const { model } = this;
    const { args, trainDataset, collator, replicas, device, signal } = this.options;
    if (!isStream(trainDataset)) refuseOneLabel(trainDataset, this.task);
    const data: TrainingWindows = isStream(trainDataset)
      ? new StreamedData(trainDataset, args, collator)
      : new TrainingData(trainDataset, args, collator);
    const { steps: totalSteps, epochs } = data.length;
    const saves = args.saveStrategy !== 'no' || start.resumeFromCheckpoint !== false || signal !== undefined;
    this.identity = saves ? await identityOf(this.options) : undefined;
    const checkpoint =
      this.identity &&
      (await openCheckpoints({ store: this.store, args, start, identity: this.identity, log: this.log }));
    this.keeper.begin(checkpoint?.names ?? []);
    const { gradientCheckpointing, activationDtype } = args;
    model.setGradientCheckpointing(gradientCheckpointing);
    model.setActivationDtype(activationDtype);
    await replicas?.configure({ gradientCheckpointing, activationDtype });
    const loaded = checkpoint?.loaded;
    if (loaded !== undefined) await model.loadFiles(loaded.files);
    const run = await TrainingRun.begin({ model, args, device, replicas, totalSteps });
    this.evaluator = new Evaluator(model, { device, replicas });
    try {
      Object.assign(this.state, newTrainerState(), loaded?.state, {
        maxSteps: totalSteps,
        numTrainEpochs: epochs,
        trainBatchSize: args.perDeviceTrainBatchSize,
      });
      const begun = this.state.globalStep;
      this.savedStep = loaded === undefined ? -1 : begun;
      if (loaded !== undefined) {
        await run.load(loaded.states, loaded.place);
        if (checkpoint!.rowsChanged) this.placeAnew(run, data);
        await this.events.load(loaded.state.statefulCallbacks);
      }
      const { ended, evaluationDue, saveDue } = run.progress;
      Object.assign(this.control, {
        shouldTrainingStop: ended,
        shouldEvaluate: evaluationDue,
        shouldSave: saveDue,
        shouldLog: false,
      });
      await this.events.emit('onTrainBegin');
      await this.epochs(run, data, epochs);
      await checkFiniteWeights(run.trained, this.state.globalStep);
      await this.keeper.settle();
      await this.keeper.loadBest(this.state, model);
      const steps = this.state.globalStep - begun;
      return { trainingLoss: await run.losses.mean(), steps, samples: (data.samples * steps) / totalSteps };
    } finally {
      run.dispose();
      this.evaluator.dispose();
      this.evaluator = undefined;
    }
  }

  private async epochs(run: TrainingRun<Batch>, data: TrainingWindows, epochs: number): Promise<void> {
    const { evalStrategy, saveStrategy } = this.options.args;
    const { progress } = run;
    // What was due when the training was stopped.
    await this.logEvaluateSave(run);
    await this.stopIfAsked(run);
    // An epoch whose steps are done still has its end before it.
    while (progress.epoch < epochs && (!this.control.shouldTrainingStop || progress.window > 0)) {
      await this.events.emit('onEpochBegin');
      await this.epoch(run, data);
      progress.nextEpoch();
      const { loggingStrategy, evalDelay } = this.options.args;
      this.control.shouldLog ||= loggingStrategy === 'epoch';
      this.control.shouldEvaluate ||= evalStrategy === 'epoch' && evalDelay <= this.state.epoch;
      this.control.shouldSave ||= saveStrategy === 'epoch';
      await this.events.emit('onEpochEnd');
      await this.logEvaluateSave(run);
      await this.stopIfAsked(run);
    }
  }

  private async epoch(run: TrainingRun<Batch>, data: TrainingWindows): Promise<void> {
    const { state, control } = this;
    const { progress } = run;
    for await (const window of data.windows(progress.epoch, progress.window)) {
      if (state.globalStep >= state.maxSteps || control.shouldTrainingStop) return;
      Object.assign(control, { shouldLog: false, shouldEvaluate: false, shouldSave: false });
      await this.events.emit('onStepBegin');
      await this.step(run, window);
      progress.window++;
      state.globalStep++;
      state.epoch = progress.epoch + data.shareDone(progress.window);
      this.askForWhatIsDue();
      await this.events.emit('onStepEnd');
      await turn();
      this.keeper.throwIfFailed();
      this.options.device?.throwIfFailed();
      await this.logEvaluateSave(run);
      await this.stopIfAsked(run);
    }
  }

  private async step(run: TrainingRun<Batch>, window: CollatedBatch[]): Promise<void> {
    const { globalStep: step } = this.state;
    const position = { seed: this.options.args.seed, step, learningRate: run.schedule(step) };
    await run.steps.step(window, position, {
      ...(this.events.listens('onSubstepEnd') ? { substepEnd: () => this.events.emit('onSubstepEnd') } : {}),
      ...(this.events.listens('onPreOptimizerStep')
        ? { gradientsReady: (gradients) => this.events.emit('onPreOptimizerStep', { gradients }) }
        : {}),
    });
    await this.events.emit('onOptimizerStep');
    this.state.numInputTokensSeen += window.reduce((sum, batch) => sum + batch.realTokens, 0);
    const places = window.reduce((sum, batch) => sum + batch.batchSize * batch.length, 0);
    this.state.totalFlos += places * (this.options.model.flopsPerToken ?? 0);
  }

  /** What the step that was just done asks for, by the arguments (transformers, trainer_callback.py DefaultFlowCallback). */
  private askForWhatIsDue(): void {
    const {
      loggingStrategy,
      loggingSteps,
      loggingFirstStep,
      evalStrategy,
      evalSteps,
      evalDelay,
      saveStrategy,
      saveSteps,
    } = this.options.args;
    const { control } = this;
    const { globalStep: step, maxSteps } = this.state;
    const last = step >= maxSteps;
    if (last) control.shouldTrainingStop = true;
    control.shouldLog ||=
      (step === 1 && loggingFirstStep) || (loggingStrategy === 'steps' && step % loggingSteps === 0);
    control.shouldEvaluate ||= evalStrategy === 'steps' && evalDelay <= step && (step % evalSteps === 0 || last);
    control.shouldSave ||= saveStrategy === 'steps' && (step % saveSteps === 0 || last);
  }

  private async logEvaluateSave(run: TrainingRun<Batch>): Promise<void> {
    if (this.control.shouldLog && run.losses.hasSteps) await this.logStep(run);
    await this.evaluateAndSave(run);
  }

  private async logStep({ losses, scaler, schedule }: TrainingRun<Batch>): Promise<void> {
    this.control.shouldLog = false;
    const row = await losses.flush();
    const { scale, skippedSteps } = await scaler.stats();
    await this.logRow({
      ...row,
      learning_rate: schedule(this.state.globalStep - 1),
      ...(scaler.enabled ? { loss_scale: scale, skipped_steps: skippedSteps } : {}),
    });
  }

  private async evaluateAndSave(run: TrainingRun<Batch>): Promise<void> {
    const { control, state } = this;
    if (!control.shouldEvaluate && !control.shouldSave) return;
    this.options.device?.throwIfFailed();
    await checkFiniteWeights(run.trained, state.globalStep);
    let improved = false;
    if (control.shouldEvaluate) {
      let row: LogRow;
      try {
        row = await this.evaluate();
      } catch (error) {
        // Still due: the checkpoint of the stop remembers it.
        if (this.options.signal?.aborted === true && TrainerError.isInstance(error) && error.code === 'STOPPED') return;
        throw error;
      }
      control.shouldEvaluate = false;
      improved = this.keeper.noteMetric(state, row);
      run.evaluated(row);
      if (this.options.args.saveStrategy === 'best') control.shouldSave = improved;
    }
    if (control.shouldSave) {
      if (improved) state.bestModelCheckpoint = this.keeper.nameOf(state);
      await this.save(run, false);
      control.shouldSave = false;
    }
  }

  /**
   * Begins to write a checkpoint; returns once all of it has been copied.
   *
   * @param saveDue whether it stands in for one that is due later, after an evaluation
   */
  private async save(run: TrainingRun<Batch>, saveDue: boolean): Promise<void> {
    const { model } = this;
    const { args, device } = this.options;
    const { progress } = run;
    const { shouldEvaluate: evaluationDue, shouldTrainingStop } = this.control;
    const ended = shouldTrainingStop && this.state.globalStep < this.state.maxSteps;
    Object.assign(progress, { evaluationDue, saveDue, ended });
    this.state.statefulCallbacks = await this.events.states();
    const intervals = { logging: args.loggingSteps, evaluation: args.evalSteps, save: args.saveSteps };
    const files = {
      ...(await model.files()),
      ...encodeStates(await run.states()),
      [TRAINER_STATE]: trainerStateJson(this.state, intervals),
    };
    // What was read from a device that is gone is worth nothing.
    device?.throwIfFailed();
    const { place, written } = await this.keeper.save(this.state, files, this.identity!);
    this.savedStep = this.state.globalStep;
    await this.events.emit('onSave', { checkpoint: place, written });
  }

  /** @throws TrainerError STOPPED, once all that is done is saved */
  private async stopIfAsked(run: TrainingRun<Batch>): Promise<void> {
    if (this.options.signal?.aborted !== true) return;
    const { globalStep } = this.state;
    if (globalStep === 0) throw new TrainerError('STOPPED', 'training was stopped before its first step');
    if (this.savedStep !== globalStep || this.control.shouldEvaluate) await this.save(run, this.control.shouldSave);
    await this.keeper.settle();
    throw new TrainerError('STOPPED', `training was stopped after step ${globalStep}`, {
      remedy: `${this.store.locate(this.keeper.nameOf(this.state))} holds all of it: go on with ${this.resumeBy}`,
    });
  }

  /** After a change of data or batch size that was accepted, the place in the data is what the step says, as in transformers. */
  private placeAnew({ progress }: TrainingRun<Batch>, data: TrainingWindows): void {
    progress.epoch = Math.floor(this.state.globalStep / data.windowsPerEpoch);
    progress.window = this.state.globalStep % data.windowsPerEpoch;
  }

  private async sayHowToGoOn(error: unknown): Promise<void> {
    await this.keeper.settle().catch(() => undefined);
    if (TrainerError.isInstance(error) && ['STOPPED', 'UNWRITABLE', 'BAD_CHECKPOINT'].includes(error.code)) return;
    const last = this.keeper.names.at(-1);
    if (last === undefined) return;
    this.log(
      `The training failed at step ${this.state.globalStep}. ${this.store.locate(last)} is the last checkpoint: go on from it with ${this.resumeBy}`,
    );
  }

  private async logRow(values: LogRow): Promise<void> {
    const row: LogRow = { ...values, epoch: this.state.epoch, step: this.state.globalStep };
    this.state.logHistory.push(row);
    await this.events.emit('onLog', { logs: row });
  }
}

function isStream(rows: PreparedDataset | RowStream): rows is RowStream {
  return 'rows' in rows;
}
