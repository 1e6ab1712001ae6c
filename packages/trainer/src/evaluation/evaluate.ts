import {
  add,
  argMax,
  cast,
  keep,
  matMul,
  mul,
  oneHot,
  scalar,
  tidy,
  zeros,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { INFERENCE } from '@qlora-js/kernels';
import { metricsFromConfusion, type ConfusionMetrics } from '@qlora-js/metrics';
import { TrainerError } from '../errors';
import { uploadBatch, type TrainableModel, type UploadedBatch } from '../model/trainable-model';

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

/** Runs the model over batches without gradients; counts and loss are added up on the device and read once. */
export async function evaluate<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  batches: readonly CollatedBatch[],
  { onBatch }: EvaluateOptions = {},
): Promise<Evaluation> {
  if (batches.length === 0) throw new TrainerError('NO_DATA', 'there are no rows to evaluate on');
  const started = performance.now();
  const { numLabels } = model;
  let confusion: Tensor = zeros([numLabels, numLabels]);
  let lossSum: Tensor = scalar(0);
  let rows = 0;
  for (const [index, collated] of batches.entries()) {
    const batch = uploadBatch(model, collated);
    const [nextConfusion, nextLoss] = tidy<[Tensor, Tensor]>(() => {
      const { loss, logits } = model.loss(batch, INFERENCE);
      return [
        keep(add(confusion, confusionCounts(batch.labels, logits, numLabels))),
        keep(add(lossSum, mul(loss, batch.batchSize))),
      ];
    });
    confusion.dispose();
    lossSum.dispose();
    batch.dispose();
    [confusion, lossSum] = [nextConfusion, nextLoss];
    rows += collated.batchSize;
    await onBatch?.(index + 1, batches.length);
  }
  const counts = Int32Array.from(await confusion.data());
  const loss = (await lossSum.data())[0]! / rows;
  confusion.dispose();
  lossSum.dispose();
  return {
    loss,
    confusion: counts,
    metrics: metricsFromConfusion(counts),
    rows,
    batches: batches.length,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Counts by (true, predicted); float32 counts are exact up to 2^24 rows. */
function confusionCounts(labels: Tensor1D, logits: Tensor2D, numLabels: number): Tensor2D {
  const actual = cast(oneHot(labels, numLabels), 'float32') as Tensor2D;
  const predicted = cast(oneHot(argMax(logits, -1), numLabels), 'float32') as Tensor2D;
  return matMul(actual, predicted, true, false);
}
