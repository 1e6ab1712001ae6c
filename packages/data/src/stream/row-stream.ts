import type { CollatableRow } from '../batch/collator';
import { DataError, shown } from '../errors';
import { SeededRandom } from '../random';

/** Rows that are made while they are asked for: none is held but those on their way. */
export interface RowStream<Row extends object = CollatableRow> {
  /** Rows an epoch, where that is known. */
  readonly length?: number;
  /** What the rows are, as a hash: compared when a run is resumed. Where there is none, that is not compared. */
  readonly fingerprint?: string;
  /** The rows of an epoch, counted from 0, from the first on; the same ones in the same order at every call. */
  rows(epoch: number): AsyncIterable<Row>;
}

/** What is known of a stream. */
export type RowStreamFacts = Pick<RowStream, 'length' | 'fingerprint'>;

/**
 * A stream of what `make` gives, held to its length.
 *
 * @param make called for every epoch anew, and again where a run is resumed within one
 * @throws DataError INVALID_OPTION; from the rows INVALID_ROW where there are more or fewer than `length`
 */
export function rowStream<Row extends object>(
  make: (epoch: number) => AsyncIterable<Row> | Iterable<Row>,
  facts: RowStreamFacts = {},
): RowStream<Row> {
  const { length } = facts;
  if (length !== undefined && (!Number.isSafeInteger(length) || length < 0)) {
    throw new DataError('INVALID_OPTION', `length is a number of rows, got ${shown(length)}`, length);
  }
  return {
    ...facts,
    async *rows(epoch) {
      let count = 0;
      for await (const row of make(epoch)) {
        if (count === length)
          throw new DataError('INVALID_ROW', `there are more rows than the stream's length, ${length}`, length);
        count++;
        yield row;
      }
      if (length !== undefined && count < length) {
        throw new DataError('INVALID_ROW', `the stream ended after ${count} rows, but its length is ${length}`, count);
      }
    },
  };
}

/** How a stream is shuffled. */
export interface ShuffleOptions {
  /** Rows that wait to be drawn from; as many are held in memory. Default 1,000, as in Hugging Face's datasets. */
  readonly bufferSize?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * A stream in another order for every epoch, the same for the same seed and epoch: each row is drawn from a buffer, whose place
 * the next one takes (Hugging Face, IterableDataset.shuffle).
 *
 * @throws DataError INVALID_OPTION
 */
export function shuffleRows<Row extends object>(
  stream: RowStream<Row>,
  { bufferSize = 1000, seed = 0 }: ShuffleOptions = {},
): RowStream<Row> {
  if (!Number.isInteger(bufferSize) || bufferSize < 1) {
    throw new DataError('INVALID_OPTION', `bufferSize is a positive integer, got ${shown(bufferSize)}`, bufferSize);
  }
  const { length, fingerprint } = stream;
  return {
    ...(length === undefined ? {} : { length }),
    ...(fingerprint === undefined ? {} : { fingerprint: `${fingerprint} shuffled ${bufferSize} ${seed}` }),
    async *rows(epoch) {
      const random = new SeededRandom([seed, epoch]);
      const buffer: Row[] = [];
      for await (const row of stream.rows(epoch)) {
        if (buffer.length < bufferSize) {
          buffer.push(row);
          continue;
        }
        const place = random.below(bufferSize);
        yield buffer[place]!;
        buffer[place] = row;
      }
      for (const place of random.permutation(buffer.length)) yield buffer[place]!;
    },
  };
}

/**
 * A stream whose rows are turned into others, some at a time: a tokenizer takes many texts in one call.
 *
 * @param transform as many rows as it is given, in their order; `from` is the number of the first one
 * @throws DataError INVALID_OPTION; from the rows INVALID_ROW where there is another number of them
 */
export function mapRows<Row extends object, Mapped extends object>(
  stream: RowStream<Row>,
  transform: (rows: Row[], from: number) => readonly Mapped[] | Promise<readonly Mapped[]>,
  { batchSize = 256 }: { readonly batchSize?: number } = {},
): RowStream<Mapped> {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new DataError('INVALID_OPTION', `batchSize is a positive integer, got ${shown(batchSize)}`, batchSize);
  }
  return {
    ...(stream.length === undefined ? {} : { length: stream.length }),
    async *rows(epoch) {
      let from = 0;
      const mapped = async (rows: Row[]): Promise<readonly Mapped[]> => {
        const results = await transform(rows, from);
        if (results.length !== rows.length) {
          throw new DataError(
            'INVALID_ROW',
            `${rows.length} rows from ${from} on became ${results.length}`,
            results.length,
          );
        }
        from += rows.length;
        return results;
      };
      let waiting: Row[] = [];
      for await (const row of stream.rows(epoch)) {
        waiting.push(row);
        if (waiting.length < batchSize) continue;
        yield* await mapped(waiting);
        waiting = [];
      }
      if (waiting.length > 0) yield* await mapped(waiting);
    },
  };
}
