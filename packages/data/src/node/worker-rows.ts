import { isMainThread, parentPort, Worker, type MessagePort } from 'node:worker_threads';
import { DataError, shown, type DataErrorCode } from '../errors';
import { rowStream, type RowStream, type RowStreamFacts } from '../stream/row-stream';

/** How rows are made in a thread of their own. */
export interface WorkerRowsOptions<Setup> extends RowStreamFacts {
  /** The module that calls `serveRows`. */
  readonly module: URL;
  /** What its rows are made from: anything that structured cloning takes. */
  readonly setup: Setup;
  /** Chunks of rows that are made ahead of the one in use. Default 4. */
  readonly chunksAhead?: number;
  /** Node's options for the thread, such as a loader for TypeScript. Default: those of this process. */
  readonly execArgv?: readonly string[];
}

type Request = { readonly kind: 'begin'; readonly setup: unknown; readonly epoch: number } | { readonly kind: 'more' };

type Answer =
  | { readonly kind: 'rows'; readonly rows: readonly object[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly message: string; readonly code: DataErrorCode | undefined };

/**
 * Rows that a worker thread makes ahead, as one that reads and tokenizes while this thread trains. Each epoch has a thread, which
 * ends with it or with whoever stops reading; it waits where `chunksAhead` chunks are not read yet.
 *
 * @throws DataError INVALID_OPTION; from the rows what the thread throws, and WORKER_FAILED where it ends by itself
 */
export function workerRows<Row extends object, Setup = unknown>(options: WorkerRowsOptions<Setup>): RowStream<Row> {
  const { module, setup, chunksAhead = 4, execArgv, ...facts } = options;
  if (!Number.isInteger(chunksAhead) || chunksAhead < 1) {
    throw new DataError('INVALID_OPTION', `chunksAhead is a positive integer, got ${shown(chunksAhead)}`, chunksAhead);
  }
  return rowStream(
    (epoch) =>
      rowsOf<Row>(
        () => new Worker(module, execArgv === undefined ? {} : { execArgv: [...execArgv] }),
        { kind: 'begin', setup, epoch },
        chunksAhead,
      ),
    facts,
  );
}

async function* rowsOf<Row extends object>(
  start: () => Worker,
  begin: Request,
  chunksAhead: number,
): AsyncGenerator<Row, void, undefined> {
  const worker = start();
  const answers: Answer[] = [];
  let wake: (() => void) | undefined;
  const arrived = (answer: Answer): void => {
    answers.push(answer);
    wake?.();
  };
  const ended = (message: string): void => arrived({ kind: 'failed', message, code: 'WORKER_FAILED' });
  worker.on('message', arrived);
  worker.on('error', (error: Error) => ended(`the thread that makes rows failed: ${error.message}`));
  worker.on('exit', (code) => ended(`the thread that makes rows ended with exit code ${code}`));
  const ask = (request: Request): void => worker.postMessage(request);
  try {
    ask(begin);
    for (let ahead = 0; ahead < chunksAhead; ahead++) ask({ kind: 'more' });
    for (;;) {
      while (answers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const answer = answers.shift()!;
      if (answer.kind === 'end') return;
      if (answer.kind === 'failed') throw new DataError(answer.code ?? 'WORKER_FAILED', answer.message);
      ask({ kind: 'more' });
      yield* answer.rows as readonly Row[];
    }
  } finally {
    worker.removeAllListeners('exit');
    await worker.terminate();
  }
}

/**
 * The thread's side, to be called in the module that `workerRows` names.
 *
 * @param make the rows of an epoch, from the `setup` that the main thread gave; what it throws reaches whoever reads the rows
 * @throws DataError INVALID_OPTION on the main thread
 */
export function serveRows<Setup>(
  make: (setup: Setup, epoch: number) => AsyncIterable<object> | Iterable<object>,
  { chunkRows = 256 }: { readonly chunkRows?: number } = {},
): void {
  const port = parentPort;
  if (isMainThread || port === null) {
    throw new DataError('INVALID_OPTION', 'serveRows is for modules that workerRows runs, but this is the main thread');
  }
  let credits = 0;
  let wake: (() => void) | undefined;
  port.on('message', (request: Request) => {
    if (request.kind === 'begin') void serve(port, make(request.setup as Setup, request.epoch));
    else {
      credits++;
      wake?.();
    }
  });
  const send = async (to: MessagePort, answer: Answer): Promise<void> => {
    while (credits === 0) await new Promise<void>((resolve) => (wake = resolve));
    credits--;
    to.postMessage(answer);
  };
  const serve = async (to: MessagePort, rows: AsyncIterable<object> | Iterable<object>): Promise<void> => {
    try {
      let chunk: object[] = [];
      for await (const row of rows) {
        chunk.push(row);
        if (chunk.length < chunkRows) continue;
        await send(to, { kind: 'rows', rows: chunk });
        chunk = [];
      }
      if (chunk.length > 0) await send(to, { kind: 'rows', rows: chunk });
      to.postMessage({ kind: 'end' } satisfies Answer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code = DataError.isInstance(error) ? error.code : undefined;
      to.postMessage({ kind: 'failed', message, code } satisfies Answer);
    }
  };
}
