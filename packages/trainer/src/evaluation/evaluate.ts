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
  type Variable,
} from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { INFERENCE, type Device } from '@qlora-js/kernels';
import { metricsFromConfusion, type ConfusionMetrics } from '@qlora-js/metrics';
import { ConfusionAccumulator } from '@qlora-js/metrics/tensors';
import { TrainerError } from '../errors';
import { lossItems, uploadBatch, type TrainableModel, type UploadedBatch } from '../model/trainable-model';
import { batchOutput, type BatchOutput } from '../steps/outputs';
import type { ReplicaGroup } from '../steps/replica-group';
import type { PlannedPasses } from './planned-passes';

/** What a pass over labelled rows comes to. */
export interface Evaluation {
  /** Mean loss over the rows, of a language model over the tokens that are predicted. */
  readonly loss: number;
  /** counts [true * numLabels + predicted]; of one label a row alone */
  readonly confusion: Int32Array | undefined;
  /** What the confusion matrix comes to. */
  readonly metrics: ConfusionMetrics | undefined;
  /** [rows * numLabels] in the order of the batches' rows, where they were asked for. */
  readonly logits: Float32Array | undefined;
  readonly rows: number;
  readonly batches: number;
  readonly seconds: number;
}

/** How an evaluation is watched and ended. */
export interface EvaluateOptions {
  /** Ends it between two batches, with an error of code STOPPED; with replicas it is finished. */
  readonly signal?: AbortSignal;
  /** Reads back every row's logits; not for a language model, whose vocabulary is wide. Default false. */
  readonly keepLogits?: boolean;
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

/** What a batch leaves on the device: its loss and, but of a language model, its logits. */
type Passed = { readonly loss: Tensor; readonly logits?: Tensor };

/**
 * Runs a model over batches without gradients; counts and loss are added up on the device and read once. On a GPU the
 * passes are recorded plans, which the next evaluation replays.
 */
export class Evaluator<Batch extends UploadedBatch = UploadedBatch> {
  /** Where one label a row is learnt. */
  private readonly confusion: ConfusionAccumulator | undefined;
  private readonly lossSum: Variable;
  private plans: PlannedPasses | undefined;

  constructor(
    private readonly model: TrainableModel<Batch>,
    private readonly options: EvaluatorOptions = {},
  ) {
    const { task = 'single_label_classification', numLabels } = model;
    if (task === 'single_label_classification') this.confusion = new ConfusionAccumulator(numLabels);
    this.lossSum = tidy(() => variable(tensor1d([0]), false));
  }

  /**
   * @throws TrainerError NO_DATA where there are no batches, BAD_ARGUMENT where a language model's logits are to be kept,
   *   STOPPED where the signal ends it
   */
  async evaluate(
    batches: readonly CollatedBatch[],
    { onBatch, signal, keepLogits = false }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    if (batches.length === 0) throw new TrainerError('NO_DATA', 'there are no rows to evaluate on');
    if (keepLogits && this.model.task === 'causal_lm') {
      throw new TrainerError(
        'BAD_ARGUMENT',
        "a language model's logits are not kept: a token has one for each of the vocabulary",
        {
          remedy: 'take the loss and the perplexity, or let the model generate',
        },
      );
    }
    const started = performance.now();
    const logits: Promise<ArrayLike<number>>[] = [];
    const { device, replicas } = this.options;
    if (replicas?.alive === true) {
      const outputs = await this.evaluateShared(replicas, batches, { onBatch });
      if (keepLogits) logits.push(...outputs.map(async (output) => output.logits));
    } else {
      if (device?.backend === 'webgpu') this.plans ??= await this.openPlans(device);
      for (const [index, collated] of batches.entries()) {
        if (signal?.aborted === true) await this.abandon(index);
        // The first batch begins a new sum.
        const given = { keep: index === 0 ? 0 : 1, items: lossItems(this.model, collated) };
        const read =
          this.plans === undefined
            ? this.issue(collated, given, keepLogits)
            : (await this.replay(collated, given, keepLogits))?.logits;
        if (read !== undefined) logits.push(read);
        await onBatch?.(index + 1, batches.length);
      }
    }
    const rows = batches.reduce((sum, { batchSize }) => sum + batchSize, 0);
    const items = batches.reduce((sum, batch) => sum + lossItems(this.model, batch), 0);
    const confusion = await this.confusion?.read();
    const loss = (await this.lossSum.data())[0]! / items;
    return {
      loss,
      confusion,
      metrics: confusion && metricsFromConfusion(confusion),
      logits: keepLogits ? joined(await Promise.all(logits)) : undefined,
      rows,
      batches: batches.length,
      seconds: (performance.now() - started) / 1000,
    };
  }

  dispose(): void {
    this.confusion?.dispose();
    this.lossSum.dispose();
    this.plans?.dispose();
  }

  private async openPlans(device: Device): Promise<PlannedPasses> {
    // On demand, as in loop/training-run.ts.
    const { PlannedPasses } = await import('./planned-passes');
    return new PlannedPasses(device, ({ keep, items, ...tensors }) => ({
      ...this.pass(this.model.batchOf(tensors), { keep: keep!, items: items! }),
    }));
  }

  /** Forgets what was counted. @throws TrainerError STOPPED */
  private async abandon(done: number): Promise<never> {
    await this.confusion?.read();
    throw new TrainerError('STOPPED', `the evaluation was stopped after ${done} batches`);
  }

  private async evaluateShared(
    replicas: ReplicaGroup,
    batches: readonly CollatedBatch[],
    { onBatch }: EvaluateOptions,
  ): Promise<BatchOutput[]> {
    let done = 0;
    const outputs = await replicas.outputs(this.model.trainedVariables(), batches, async (batch) => {
      const output = batchOutput(this.model, batch);
      done++;
      await onBatch?.(done, batches.length);
      return output;
    });
    // Counted in the batches' order, so that the sum of the losses is rounded as without replicas.
    tidy(() => {
      outputs.forEach(({ loss, logits }, index) => {
        const batch = batches[index]!;
        const { batchSize } = batch;
        this.add(scalar(loss), {
          keep: tensor1d([index === 0 ? 0 : 1]),
          items: tensor1d([lossItems(this.model, batch)]),
        });
        this.confusion?.add(tensor2d(logits, [batchSize, this.model.numLabels]), tensor1d(batch.labels, 'int32'));
      });
    });
    for (done++; done <= batches.length; done++) await onBatch?.(done, batches.length);
    return outputs;
  }

  private issue(
    collated: CollatedBatch,
    { keep, items }: { readonly keep: number; readonly items: number },
    keepLogits: boolean,
  ): Promise<ArrayLike<number>> | undefined {
    const batch = uploadBatch(this.model, collated);
    const given = { keep: tensor1d([keep]), items: tensor1d([items]) };
    const { loss, logits } = this.pass(batch, given);
    dispose([loss, given.keep, given.items]);
    batch.dispose();
    const read = keepLogits ? logits!.data<'float32'>() : undefined;
    if (read === undefined) logits?.dispose();
    else void read.finally(() => logits!.dispose()).catch(() => undefined);
    return read;
  }

  /** The logits are read while later batches are computed. */
  private async replay(
    collated: CollatedBatch,
    { keep, items }: { readonly keep: number; readonly items: number },
    keepLogits: boolean,
  ): Promise<{ readonly logits: Promise<ArrayLike<number>> } | undefined> {
    const step = await this.plans!.replay(this.model, collated, { keep, items });
    return keepLogits ? { logits: step.read('logits') } : undefined;
  }

  /** One batch: its counts and its share of the loss, on the device. */
  private pass(batch: Batch, given: { readonly keep: Tensor; readonly items: Tensor }): Passed {
    return tidy(() => {
      const { loss, logits } = this.model.loss(batch, INFERENCE);
      this.add(loss, given);
      this.confusion?.add(logits, batch.labels as Tensor1D);
      return this.model.task === 'causal_lm' ? { loss } : { loss, logits };
    });
  }

  private add(loss: Scalar, { keep, items }: { readonly keep: Tensor; readonly items: Tensor }): void {
    // Chosen, not multiplied: a NaN that an earlier evaluation has left must not outlive it.
    const before = where(greater(keep, 0), this.lossSum as Tensor, zerosLike(this.lossSum));
    this.lossSum.assign(add(before, reshape(mul(loss, items), [1])));
  }
}

function joined(parts: readonly ArrayLike<number>[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
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
