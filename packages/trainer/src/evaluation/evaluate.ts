import {
  add,
  dispose,
  mul,
  reshape,
  tensor1d,
  tidy,
  variable,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { INFERENCE, PlanCache, type Device } from '@qlora-js/kernels';
import { metricsFromConfusion, type ConfusionMetrics } from '@qlora-js/metrics';
import { ConfusionAccumulator } from '@qlora-js/metrics/tensors';
import { TrainerError } from '../errors';
import { uploadBatch, type TrainableModel, type UploadedBatch } from '../model/trainable-model';
import { numberInput, replay, ROW_MULTIPLE } from '../plan/replay';

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

export interface EvaluateOptions {
  readonly onBatch?: (done: number, total: number) => void | Promise<void>;
}

/**
 * Runs a model over batches without gradients; counts and loss are added up on the device and read once. On a GPU the
 * passes are recorded plans, which the next evaluation replays.
 */
export class Evaluator<Batch extends UploadedBatch = UploadedBatch> {
  private readonly confusion: ConfusionAccumulator;
  private readonly lossSum: Variable;
  private readonly plans: PlanCache<string, { loss: Tensor }> | undefined;

  /** @param device where it is a GPU, passes are recorded on it; without it they go through tfjs op by op */
  constructor(
    private readonly model: TrainableModel<Batch>,
    device?: Device,
  ) {
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
  async evaluate(batches: readonly CollatedBatch[], { onBatch }: EvaluateOptions = {}): Promise<Evaluation> {
    if (batches.length === 0) throw new TrainerError('NO_DATA', 'there are no rows to evaluate on');
    const started = performance.now();
    let rows = 0;
    for (const [index, collated] of batches.entries()) {
      // What an earlier evaluation has left in the sum is multiplied away.
      const keep = index === 0 ? 0 : 1;
      if (this.plans === undefined) this.issue(collated, keep);
      else {
        const inputs = this.model.inputs(collated, { rowMultiple: ROW_MULTIPLE });
        replay(this.plans, { ...inputs, keep: numberInput(keep) });
      }
      rows += collated.batchSize;
      await onBatch?.(index + 1, batches.length);
    }
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

  private issue(collated: CollatedBatch, keep: number): void {
    const batch = uploadBatch(this.model, collated);
    const keepTensor = tensor1d([keep]);
    dispose([this.pass(batch, keepTensor), keepTensor]);
    batch.dispose();
  }

  /** One batch: its counts and its share of the loss, on the device. */
  private pass(batch: Batch, keep: Tensor): Tensor {
    return tidy(() => {
      const { loss, logits } = this.model.loss(batch, INFERENCE);
      this.confusion.add(logits, batch.labels);
      const sum = add(mul(this.lossSum as Tensor, keep), reshape(mul(loss, batch.batchSize), [1]));
      this.lossSum.assign(sum);
      return loss;
    });
  }
}

/** One pass of an `Evaluator` that is not used again. */
export async function evaluate<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  batches: readonly CollatedBatch[],
  { device, ...options }: EvaluateOptions & { readonly device?: Device } = {},
): Promise<Evaluation> {
  const evaluator = new Evaluator(model, device);
  try {
    return await evaluator.evaluate(batches, options);
  } finally {
    evaluator.dispose();
  }
}
