import type { ReplicaLink } from './port';

/** A message, told apart from others by its kind. */
export interface Message {
  readonly kind: string;
}

/** What is answered where a request could not be met. */
export interface Failed {
  readonly kind: 'failed';
  readonly message: string;
  readonly stack: string | undefined;
}

/** How errors about a thread are made. */
export type ThreadError = (what: string, message: string, cause?: unknown) => Error;

interface Pending<Answer> {
  readonly what: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that `serveRequests`, as the one that asks sees it: requests, and their answers in the same order. */
export class AskedThread<Request extends Message, Answer extends Message> {
  private readonly pending: Pending<Answer>[] = [];
  private failure: Error | undefined;

  /**
   * @param failed makes errors; `what` the thread was at, `in step 3`, comes with them
   * @param onFailure called once, where an answer is an error or the thread has ended
   */
  constructor(
    private readonly link: ReplicaLink,
    private readonly failed: ThreadError,
    private readonly onFailure: (error: Error) => void,
  ) {
    link.listen((message) => this.receive(message as Answer | Failed));
    link.onEnd((cause) => {
      const what = this.pending[0]?.what ?? 'between two requests';
      this.onFailure(this.failed(what, cause.message, cause));
    });
  }

  /** @param what the thread is at, for errors: `in step 3` */
  ask<Kind extends Answer['kind']>(
    request: Request,
    { answer, what, transfer }: { answer: Kind; what: string; transfer?: readonly ArrayBuffer[] },
  ): Promise<Extract<Answer, { kind: Kind }>> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const promise = new Promise<Answer>((resolve, reject) => {
      this.pending.push({ what, resolve, reject });
    }).then((received) => {
      if (received.kind === answer) return received as Extract<Answer, { kind: Kind }>;
      throw this.failed(what, `it answered ${received.kind} where ${answer} was due`);
    });
    // Whoever waits sees the error; one that nobody waits for any more must not end the process.
    promise.catch(() => undefined);
    this.link.waiting?.(true);
    try {
      this.link.post(request, transfer);
    } catch (error) {
      this.onFailure(this.failed(what, `what it was sent can't be cloned: ${(error as Error).message}`, error));
    }
    return promise;
  }

  /** Rejects what is due and ends the thread. */
  async end(error: Error): Promise<void> {
    this.failure ??= error;
    for (const { reject } of this.pending.splice(0)) reject(this.failure);
    this.link.waiting?.(false);
    await this.link.end();
  }

  private receive(answer: Answer | Failed): void {
    const due = this.pending.shift();
    if (due === undefined) return;
    if (this.pending.length === 0) this.link.waiting?.(false);
    if (!isFailed(answer)) {
      due.resolve(answer);
      return;
    }
    const cause = new Error(answer.message);
    if (answer.stack !== undefined) cause.stack = answer.stack;
    const error = this.failed(due.what, answer.message, cause);
    due.reject(error);
    this.onFailure(error);
  }
}

function isFailed(answer: Message): answer is Failed {
  return answer.kind === 'failed';
}
