import { tidy, variable, zeros, type Tensor1D, type Tensor2D, type Variable } from '@tensorflow/tfjs-core';
import { addConfusion, confusionSize } from '@qlora-js/kernels';
import { checkedInteger, MetricsError } from '../errors';

/**
 * A confusion matrix that grows on the device, batch after batch: an evaluation reads back classes² integers once, and
 * never logits. `metricsFromConfusion` makes the metrics of what `read` gives.
 */
export class ConfusionAccumulator {
  private readonly counts: Variable;
  /** What stood there when the count last began. */
  private before: Int32Array;

  /** @throws MetricsError INVALID_OPTION */
  constructor(readonly classes: number) {
    const size = confusionSize(checkedInteger('classes', classes, 1));
    this.counts = tidy(() => variable(zeros([size], 'int32'), false));
    this.before = new Int32Array(size);
  }

  /**
   * Counts a batch on the device; may be part of a recorded plan.
   *
   * @param logits float32 [batchSize, classes]
   * @param labels int32 [batchSize]
   * @throws KernelError BAD_SHAPE, BAD_DTYPE
   */
  add(logits: Tensor2D, labels: Tensor1D): void {
    addConfusion(this.counts, logits, labels);
  }

  /**
   * Counts since the last `read`, int32 [classes²]: counts[true * classes + predicted]. What follows counts from zero.
   *
   * @throws MetricsError INVALID_LABEL where labels were none of the classes
   */
  async read(): Promise<Int32Array> {
    const total = Int32Array.from(await this.counts.data());
    const counts = total.map((count, i) => count - this.before[i]!);
    this.before = total;
    const outside = counts.at(-1)!;
    if (outside > 0) {
      throw new MetricsError('INVALID_LABEL', `${outside} labels are none of the ${this.classes} classes`, {
        value: outside,
      });
    }
    return counts.slice(0, -1);
  }

  dispose(): void {
    this.counts.dispose();
  }
}
