import {
  add,
  dispose,
  greater,
  mul,
  reshape,
  scalar,
  tensor1d,
  tensor2d,
  tidy,
  variable,
  where,
  zerosLike,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { INFERENCE, PlanCache, type Device } from '@qlora-js/kernels';
import { metricsFromConfusion, type ConfusionMetrics } from '@qlora-js/metrics';
import { ConfusionAccumulator } from '@qlora-js/metrics/tensors';
import { TrainerError } from '../errors';
import { uploadBatch, type TrainableModel, type UploadedBatch } from '../model/trainable-model';
import { batchOutput } from '../steps/outputs';
import type { ReplicaGroup } from '../steps/replica-group';
import { numberInput, replay, ROW_MULTIPLE } from '../steps/replay';

/** What a pass over labelled rows comes to. */
export interface Evaluation {
  /** Mean cross-entropy over the rows. */
  readonly loss: number;
  /** counts [true * numLabels + predicted] */
  readonly confusion: Int32Array;
  readonly metrics: ConfusionMetrics;
  readonly rows: number;
  readonly batches: number;
  readonly seconds: number;
}

/** How an evaluation is watched and ended. */
export interface EvaluateOptions {
  /** Ends it between two batches, with an error of code STOPPED; with replicas it is finished. */
  readonly signal?: AbortSignal;
  /** Called after each batch. */
  readonly onBatch?: (done: number, total: number) => void | Promise<void>;
}

/** What evaluations may compute on beside this thread. */
export interface EvaluatorOptions {
  /** Where it is a GPU, passes are recorded on it; without it they go through tfjs op by op. */
  readonly device?: Device;
  /** Threads that take whole batches, to the same bits as without them; ones that have ended are left out. */
  readonly replicas?: ReplicaGroup;
}

/**
 * Runs a model over batches without gradients; counts and loss are added up on the device and read once. On a GPU the
 * passes are recorded plans, which the next evaluation replays.
 */
export class Evaluator<Batch extends UploadedBatch = UploadedBatch> {
  private readonly confusion: ConfusionAccumulator;
  private readonly lossSum: Variable;
  private readonly plans: PlanCache<string, { loss: Tensor }> | undefined;

  private readonly replicas: ReplicaGroup | undefined;

  constructor(
    private readonly model: TrainableModel<Batch>,
    { device, replicas }: EvaluatorOptions = {},
  ) {
    this.replicas = replicas;
    this.confusion = new ConfusionAccumulator(model.numLabels);
    this.lossSum = tidy(() => variable(tensor1d([0]), false));
    if (device?.backend === 'webgpu') {
      this.plans = new PlanCache(
        device,
        ({ keep, ...tensors }: Readonly<Record<string, Tensor>>) => ({
          loss: this.pass(model.batchOf(tensors), keep!),
        }),
        { name: 'evaluation' },
      );
    }
  }

  /** @throws TrainerError NO_DATA where there are no batches */
  async evaluate(batches: readonly CollatedBatch[], { onBatch, signal }: EvaluateOptions = {}): Promise<Evaluation> {
    if (batches.length === 0) throw new TrainerError('NO_DATA', 'there are no rows to evaluate on');
    const started = performance.now();
    if (this.replicas?.alive === true) await this.evaluateShared(this.replicas, batches, { onBatch });
    else {
      for (const [index, collated] of batches.entries()) {
        if (signal?.aborted === true) await this.abandon(index);
        // The first batch begins a new sum.
        const keep = index === 0 ? 0 : 1;
        if (this.plans === undefined) this.issue(collated, keep);
        else {
          const inputs = this.model.inputs(collated, { rowMultiple: ROW_MULTIPLE });
          replay(this.plans, { ...inputs, keep: numberInput(keep) });
        }
        await onBatch?.(index + 1, batches.length);
      }
    }
    const rows = batches.reduce((sum, { batchSize }) => sum + batchSize, 0);
    const confusion = await this.confusion.read();
    const loss = (await this.lossSum.data())[0]! / rows;
    return {
      loss,
      confusion,
      metrics: metricsFromConfusion(confusion),
      rows,
      batches: batches.length,
      seconds: (performance.now() - started) / 1000,
    };
  }

  dispose(): void {
    this.confusion.dispose();
    this.lossSum.dispose();
    this.plans?.dispose();
  }

  /** Forgets what was counted. @throws TrainerError STOPPED */
  private async abandon(done: number): Promise<never> {
    await this.confusion.read();
    throw new TrainerError('STOPPED', `the evaluation was stopped after ${done} batches`);
  }

  private async evaluateShared(
    replicas: ReplicaGroup,
    batches: readonly CollatedBatch[],
    { onBatch }: EvaluateOptions,
  ): Promise<void> {
    let done = 0;
    const outputs = await replicas.outputs(this.model.trainedVariables(), batches, async (batch) => {
      const output = batchOutput(this.model, batch);
      await onBatch?.(++done, batches.length);
      return output;
    });
    // Counted in the batches' order, so that the sum of the losses is rounded as without replicas.
    tidy(() => {
      outputs.forEach(({ loss, logits }, index) => {
        const { batchSize, labels } = batches[index]!;
        const output = { loss: scalar(loss), logits: tensor2d(logits, [batchSize, this.model.numLabels]) };
        this.count(output, { labels: tensor1d(labels, 'int32'), batchSize, keep: tensor1d([index === 0 ? 0 : 1]) });
      });
    });
    while (done < batches.length) await onBatch?.(++done, batches.length);
  }

  private issue(collated: CollatedBatch, keep: number): void {
    const batch = uploadBatch(this.model, collated);
    const keepTensor = tensor1d([keep]);
    dispose([this.pass(batch, keepTensor), keepTensor]);
    batch.dispose();
  }

  /** One batch: its counts and its share of the loss, on the device. */
  private pass(batch: Batch, keep: Tensor): Tensor {
    return tidy(() => {
      const output = this.model.loss(batch, INFERENCE);
      this.count(output, { labels: batch.labels, batchSize: batch.batchSize, keep });
      return output.loss;
    });
  }

  private count(
    { loss, logits }: { readonly loss: Scalar; readonly logits: Tensor2D },
    { labels, batchSize, keep }: { readonly labels: Tensor1D; readonly batchSize: number; readonly keep: Tensor },
  ): void {
    this.confusion.add(logits, labels);
    // Chosen, not multiplied: a NaN that an earlier evaluation has left must not outlive it.
    const before = where(greater(keep, 0), this.lossSum as Tensor, zerosLike(this.lossSum));
    this.lossSum.assign(add(before, reshape(mul(loss, batchSize), [1])));
  }
}

/** One pass of an `Evaluator` that is not used again. */
export async function evaluate<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  batches: readonly CollatedBatch[],
  { device, replicas, ...options }: EvaluateOptions & EvaluatorOptions = {},
): Promise<Evaluation> {
  const evaluator = new Evaluator(model, { device, replicas });
  try {
    return await evaluator.evaluate(batches, options);
  } finally {
    evaluator.dispose();
  }
}
