import {
  batchCount,
  batches,
  LengthGroupedSampler,
  RandomSampler,
  type CollatedBatch,
  type CollatableRow,
  type DataCollator,
  type Dataset,
  type Sampler,
} from '@qlora-js/data';
import type { TrainingArguments } from '../arguments/types';

/** How long a training is. */
export interface TrainingLength {
  /** Optimiser steps. */
  readonly steps: number;
  /** Epochs begun. */
  readonly epochs: number;
}

/** What a training goes through: accumulation windows, each a list of micro-batches, of which any can be come back to. */
export interface TrainingWindows {
  readonly length: TrainingLength;
  /** Optimiser steps an epoch. */
  readonly windowsPerEpoch: number;
  /** Rows that a whole training goes through, as transformers counts them for its rates. */
  readonly samples: number;
  /** Share of an epoch that its first windows are, by micro-batches, as transformers counts: the last window may be short. */
  shareDone(windows: number): number;
  /** The windows of an epoch from the one named on; the last may be short. */
  windows(epoch: number, from: number): Iterable<CollatedBatch[]> | AsyncIterable<CollatedBatch[]>;
}

/** What follows from the number of rows: as transformers counts steps, epochs and rows. */
export abstract class CountedWindows implements TrainingWindows {
  constructor(
    protected readonly args: TrainingArguments,
    protected readonly collator: DataCollator,
    /** Rows an epoch; undefined where that is not known, and maxSteps ends the training. */
    private readonly rows: number | undefined,
  ) {}

  /** Micro-batches an epoch; all of maxSteps where the number of rows is not known. */
  get batchesPerEpoch(): number {
    const { perDeviceTrainBatchSize: batchSize, dataloaderDropLast: dropLast } = this.args;
    const { maxSteps, gradientAccumulationSteps } = this.args;
    return this.rows === undefined
      ? maxSteps * gradientAccumulationSteps
      : batchCount(this.rows, { batchSize, dropLast });
  }

  get windowsPerEpoch(): number {
    return Math.ceil(this.batchesPerEpoch / this.args.gradientAccumulationSteps);
  }

  shareDone(windows: number): number {
    return Math.min(windows * this.args.gradientAccumulationSteps, this.batchesPerEpoch) / this.batchesPerEpoch;
  }

  get samples(): number {
    const { maxSteps, numTrainEpochs, perDeviceTrainBatchSize, gradientAccumulationSteps } = this.args;
    return maxSteps > 0 ? maxSteps * perDeviceTrainBatchSize * gradientAccumulationSteps : this.rows! * numTrainEpochs;
  }

  /** By maxSteps where there is one, else by numTrainEpochs. */
  get length(): TrainingLength {
    const { maxSteps, numTrainEpochs } = this.args;
    if (this.rows === undefined) return { steps: maxSteps, epochs: Number.MAX_SAFE_INTEGER };
    return maxSteps > 0
      ? { steps: maxSteps, epochs: Math.ceil(maxSteps / this.windowsPerEpoch) }
      : { steps: Math.ceil(numTrainEpochs * this.windowsPerEpoch), epochs: Math.ceil(numTrainEpochs) };
  }

  abstract windows(epoch: number, from: number): Iterable<CollatedBatch[]> | AsyncIterable<CollatedBatch[]>;
}

/** The rows of a training as accumulation windows: a function of (seed, epoch), so any window can be come back to. */
export class TrainingData extends CountedWindows {
  private readonly sampler: Sampler;

  constructor(
    private readonly dataset: Dataset<CollatableRow>,
    args: TrainingArguments,
    collator: DataCollator,
  ) {
    super(args, collator, dataset.numRows);
    const { groupByLength, dataSeed: seed, perDeviceTrainBatchSize, gradientAccumulationSteps } = args;
    this.sampler = groupByLength
      ? new LengthGroupedSampler({
          lengths: dataset.column('input_ids').map((ids) => ids.length),
          batchSize: perDeviceTrainBatchSize * gradientAccumulationSteps,
          seed,
        })
      : new RandomSampler({ length: dataset.numRows, seed });
  }

  *windows(epoch: number, from: number): Generator<CollatedBatch[]> {
    const { perDeviceTrainBatchSize: batchSize, gradientAccumulationSteps, dataloaderDropLast: dropLast } = this.args;
    const skip = from * gradientAccumulationSteps;
    let window: CollatedBatch[] = [];
    for (const indices of batches(this.sampler, { batchSize, epoch, dropLast, skip })) {
      window.push(this.collator.collate(Array.from(indices, (index) => this.dataset.row(index))));
      if (window.length === gradientAccumulationSteps) {
        yield window;
        window = [];
      }
    }
    if (window.length > 0) yield window;
  }
}
