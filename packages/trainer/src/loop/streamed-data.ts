import type { CollatableRow, CollatedBatch, DataCollator, RowStream } from '@qlora-js/data';
import type { TrainingArguments } from '../arguments/types';
import { TrainerError } from '../errors';
import { CountedWindows } from './training-data';

/**
 * Rows that arrive while they are trained on. Where their number is known, an epoch is one pass over them; where it is not,
 * maxSteps ends the training, a pass over the rows follows another, and the share of an epoch is one of maxSteps, as transformers
 * counts iterable data sets without a length.
 */
export class StreamedData extends CountedWindows {
  /** @throws TrainerError BAD_ARGUMENT for arguments that need what a stream has not; NO_DATA where it is empty */
  constructor(
    private readonly stream: RowStream,
    args: TrainingArguments,
    collator: DataCollator,
  ) {
    super(args, collator, stream.length);
    if (args.groupByLength) {
      throw new TrainerError(
        'BAD_ARGUMENT',
        'groupByLength needs all rows before the first step, but they are a stream',
        {
          remedy: 'leave it out; padding is left out of compute in any case',
        },
      );
    }
    if (stream.length === undefined && args.maxSteps === -1) {
      throw new TrainerError('BAD_ARGUMENT', 'the length of the stream is not known, so maxSteps is needed', {
        value: args.maxSteps,
        remedy: 'set maxSteps, or give the stream its length',
      });
    }
    if (stream.length !== undefined && this.batchesPerEpoch === 0) {
      throw new TrainerError(
        'NO_DATA',
        `a stream of ${stream.length} rows has no micro-batch of ${args.perDeviceTrainBatchSize}`,
      );
    }
  }

  /** Rows before the window are read and passed over. */
  async *windows(epoch: number, from: number): AsyncGenerator<CollatedBatch[], void, undefined> {
    const { perDeviceTrainBatchSize: batchSize, gradientAccumulationSteps, dataloaderDropLast } = this.args;
    let passedOver = from * gradientAccumulationSteps * batchSize;
    let rows: CollatableRow[] = [];
    let window: CollatedBatch[] = [];
    let given = from;
    for await (const row of this.stream.rows(epoch)) {
      if (passedOver > 0) {
        passedOver--;
        continue;
      }
      rows.push(row);
      if (rows.length < batchSize) continue;
      window.push(this.collator.collate(rows));
      rows = [];
      if (window.length < gradientAccumulationSteps) continue;
      given++;
      yield window;
      window = [];
    }
    if (rows.length > 0 && !dataloaderDropLast) window.push(this.collator.collate(rows));
    if (window.length > 0) yield window;
    else if (given === 0)
      throw new TrainerError('NO_DATA', `epoch ${epoch} of the stream has no micro-batch of ${batchSize} rows`);
  }
}
