// A module that tests run in a worker thread: rows that count, and what can go wrong on the way.
import { serveRows } from '../node/worker-rows';
import { DataError } from '../errors';

/** What it is told. */
export interface CountedRows {
  readonly count: number;
  /** Row at which it goes wrong. */
  readonly failAt?: number;
  readonly how?: 'throw' | 'exit';
}

serveRows(
  function* ({ count, failAt, how }: CountedRows, epoch): Generator<object> {
    for (let row = 0; row < count; row++) {
      if (row === failAt && how === 'throw') throw new DataError('INVALID_ROW', `row ${row} is none`);
      if (row === failAt && how === 'exit') process.exit(7);
      yield { input_ids: [epoch, row] };
    }
  },
  { chunkRows: 3 },
);
