import type { Device } from '@qlora-js/kernels';
import {
  createOptimizer,
  createSchedule,
  decayGroups,
  GradScaler,
  MetricSchedule,
  type NamedVariable,
  type Optimizer,
} from '@qlora-js/optim';
import { goesByMetric } from '../arguments/check';
import { warmupStepCount } from '../arguments/training-arguments';
import type { TrainingArguments } from '../arguments/types';
import type { States } from '../checkpoints/state-files';
import { TrainerError } from '../errors';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { Stateful } from '../state/stateful';
import type { LogRow } from '../state/trainer-state';
import { EagerSteps } from '../steps/eager-steps';
import { LossLog } from '../steps/loss-log';
import type { StepParts, TrainingSteps } from '../steps/recipe';
import type { ReplicaGroup } from '../steps/replica-group';
import { Progress } from './progress';

/** What a training is run on. */
export interface TrainingRunOptions<Batch extends UploadedBatch> {
  readonly model: TrainableModel<Batch>;
  readonly args: TrainingArguments;
  readonly device?: Device;
  readonly replicas?: ReplicaGroup;
  /** Optimiser steps in all. */
  readonly totalSteps: number;
}

/** What lives as long as one training, and what of it a checkpoint keeps. */
export class TrainingRun<Batch extends UploadedBatch> {
  readonly trained: readonly NamedVariable[];
  readonly steps: TrainingSteps;
  /** The learning rate of a step, counted from 0; under a schedule that goes by a metric the next one's. */
  readonly schedule: (step: number) => number;
  readonly losses: LossLog;
  readonly scaler: GradScaler;
  readonly progress = new Progress();
  private readonly metric: string;
  private readonly optimizer: Optimizer;
  private readonly byMetric: MetricSchedule | undefined;

  /** What begins with the optimiser's first states; on a GPU its steps are recorded plans. */
  static async begin<Batch extends UploadedBatch>(options: TrainingRunOptions<Batch>): Promise<TrainingRun<Batch>> {
    const { device } = options;
    if (device?.backend !== 'webgpu') return new TrainingRun(options, (parts) => new EagerSteps(parts));
    // On demand: a page that trains on threads does without what records plans.
    const { PlannedSteps } = await import('../steps/planned-steps');
    return new TrainingRun(options, (parts) => new PlannedSteps(parts, device));
  }

  private constructor(
    { model, args, replicas, totalSteps }: TrainingRunOptions<Batch>,
    stepsOf: (parts: StepParts<Batch>) => TrainingSteps,
  ) {
    this.metric = `eval_${args.metricForBestModel}`;
    this.trained = model.trainedVariables();
    const { lrSchedulerType: type, lrSchedulerKwargs: kwargs, learningRate } = args;
    if (goesByMetric(type)) {
      const byMetric = new MetricSchedule(type, { ...kwargs, learningRate });
      this.byMetric = byMetric;
      this.schedule = () => byMetric.learningRate;
    } else {
      const warmupSteps = warmupStepCount(args, totalSteps);
      this.schedule = createSchedule(type, { ...kwargs, learningRate, warmupSteps, trainingSteps: totalSteps });
    }
    this.optimizer = createOptimizer(
      args.optim === 'adamw_torch_fused' ? 'adamw_torch' : args.optim,
      decayGroups(this.trained, args.weightDecay),
      {
        betas: [args.adamBeta1, args.adamBeta2],
        epsilon: args.adamEpsilon,
      },
    );
    this.losses = new LossLog(args.fp16);
    this.scaler = new GradScaler({ enabled: args.fp16 });
    const { trained, optimizer, losses, scaler } = this;
    const parts = { model, trained, optimizer, losses, scaler, maxGradNorm: args.maxGradNorm, replicas };
    this.steps = stepsOf(parts);
  }

  /** Lets a schedule that goes by a metric take an evaluation's. */
  evaluated(row: LogRow): void {
    this.byMetric?.step(row[this.metric]!);
  }

  /** Copies of everything that a resumed training goes on from, beside the weights. */
  async states(): Promise<States> {
    const states: Record<string, object> = {};
    for (const [name, part] of this.parts()) states[name] = await part.stateDict();
    return states;
  }

  /** @throws TrainerError BAD_CHECKPOINT that names the part whose state does not fit */
  async load(states: States, place: string): Promise<void> {
    for (const [name, part] of this.parts()) {
      if (!Object.hasOwn(states, name)) throw new TrainerError('BAD_CHECKPOINT', `${place} has no state '${name}'`);
      try {
        await part.loadStateDict(states[name]!);
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new TrainerError('BAD_CHECKPOINT', `${place}: the state '${name}' does not fit: ${message}`, { cause });
      }
    }
  }

  dispose(): void {
    for (const part of [this.steps, this.optimizer, this.losses, this.scaler]) part.dispose();
  }

  private parts(): [string, Stateful][] {
    const { optimizer, scaler, losses, progress, byMetric } = this;
    return Object.entries({
      optimizer,
      scaler,
      losses,
      progress,
      ...(byMetric === undefined ? {} : { schedule: byMetric }),
    });
  }
}
