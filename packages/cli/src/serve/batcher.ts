import type { Prediction, PredictOptions } from '@qlora-js/finetune';

/** What labels texts; `TextClassifier` is one. */
export interface Labeller {
  /** What is said of each text, in order. */
  predict(texts: readonly string[], options: PredictOptions): Promise<Prediction[]>;
}

/** Bounds of a batcher. */
export interface BatcherOptions {
  /** Texts of one pass through the model, over all requests. */
  readonly maxBatch: number;
  /** Texts that may wait; a request that does not fit is refused at once. */
  readonly maxQueue: number;
  /** Seconds that a request may wait before it is given up. */
  readonly timeoutSeconds: number;
}

/** Why a request got no answer. */
type RefusedErrorCode = 'FULL' | 'TIMEOUT' | 'CLOSED';

/** A request that got no answer. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    /** Why. */
    readonly code: RefusedErrorCode,
    /** Seconds after which it is worth trying again. */
    readonly retryAfterSeconds: number,
  ) {
    super(code);
  }
}

/** How a request's texts are to be labelled; what is left out is the classifier's to say. */
export interface Wanted {
  /** Name of the adapter. */
  readonly adapter: string;
  /** Labels for each text, at most. */
  readonly topK?: number;
  /** Probability above which a text has a label, where it may have several. */
  readonly threshold?: number;
}

interface Waiting extends Wanted {
  readonly texts: readonly string[];
  readonly since: number;
  resolve(predictions: Prediction[]): void;
  reject(error: unknown): void;
}

/** Puts texts of many requests through the model together, one pass at a time, in the order they came. */
export class Batcher {
  private readonly queue: Waiting[] = [];
  private waitingTexts = 0;
  private running: Promise<void> | undefined;
  private closed = false;
  /** Seconds that a text took of late, for what a refused request is told. */
  private secondsPerText = 0.01;

  constructor(
    private readonly labeller: Labeller,
    private readonly options: BatcherOptions,
  ) {}

  /** Texts that wait or are being labelled. */
  get pending(): number {
    return this.waitingTexts;
  }

  /** @throws RefusedError where not even one more text may wait: before a request is read, which costs more than to refuse it */
  checkRoom(): void {
    if (this.closed) throw new RefusedError('CLOSED', 5);
    if (this.waitingTexts >= this.options.maxQueue) throw new RefusedError('FULL', this.secondsUntilFree());
  }

  /** @throws RefusedError */
  predict(texts: readonly string[], wanted: Wanted): Promise<Prediction[]> {
    if (this.closed) return Promise.reject(new RefusedError('CLOSED', 5));
    if (this.waitingTexts + texts.length > this.options.maxQueue)
      return Promise.reject(new RefusedError('FULL', this.secondsUntilFree()));
    this.waitingTexts += texts.length;
    return new Promise((resolve, reject) => {
      const { adapter, topK, threshold } = wanted;
      this.queue.push({ texts, adapter, topK, threshold, since: performance.now(), resolve, reject });
      this.running ??= this.run().finally(() => (this.running = undefined));
    });
  }

  /** Takes no more requests and finishes those that wait. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private secondsUntilFree(): number {
    return Math.max(1, Math.ceil(this.waitingTexts * this.secondsPerText));
  }

  private async run(): Promise<void> {
    // One turn of the event loop, so that requests that have arrived together go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.queue.length > 0) {
      const batch = this.nextBatch();
      if (batch.length > 0) await this.label(batch);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The oldest request and all that fit beside it and are labelled in the same way; those that have waited too long are refused. */
  private nextBatch(): Waiting[] {
    const now = performance.now();
    const batch: Waiting[] = [];
    let texts = 0;
    for (const waiting of [...this.queue]) {
      const late = now - waiting.since > 1000 * this.options.timeoutSeconds;
      const fits = batch.length === 0 || texts + waiting.texts.length <= this.options.maxBatch;
      if (!late && (!fits || (batch[0] !== undefined && !alike(batch[0], waiting)))) continue;
      this.queue.splice(this.queue.indexOf(waiting), 1);
      if (late) {
        this.waitingTexts -= waiting.texts.length;
        waiting.reject(new RefusedError('TIMEOUT', this.secondsUntilFree()));
        continue;
      }
      batch.push(waiting);
      texts += waiting.texts.length;
    }
    return batch;
  }

  private async label(batch: readonly Waiting[]): Promise<void> {
    const texts = batch.flatMap((waiting) => waiting.texts);
    const [{ adapter, threshold }] = batch as [Waiting];
    const wanted = batch.map(({ topK }) => topK);
    const topK = wanted.includes(undefined) ? undefined : Math.max(...(wanted as number[]));
    const started = performance.now();
    try {
      const predictions = await this.labeller.predict(texts, { topK, threshold, adapter });
      this.secondsPerText = (performance.now() - started) / 1000 / texts.length;
      let at = 0;
      for (const waiting of batch) {
        const own = predictions.slice(at, (at += waiting.texts.length));
        waiting.resolve(own.map(({ labels, ...rest }) => ({ ...rest, labels: labels.slice(0, waiting.topK) })));
      }
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.waitingTexts -= texts.length;
    }
  }
}

/** Whether one pass answers both: a number of labels can be cut, the classifier's own choice can't be told from it. */
function alike(one: Wanted, other: Wanted): boolean {
  return (
    one.adapter === other.adapter &&
    one.threshold === other.threshold &&
    (one.topK === undefined) === (other.topK === undefined)
  );
}
