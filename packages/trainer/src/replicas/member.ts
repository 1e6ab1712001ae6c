import { TrainerError } from '../errors';
import type { ReplicaAnswer, ReplicaRequest } from './messages';
import type { ReplicaLink } from './port';

interface Pending {
  readonly what: string;
  readonly resolve: (answer: ReplicaAnswer) => void;
  readonly reject: (error: TrainerError) => void;
}

/** One replica as the main thread sees it: requests, and their answers in the same order. */
export class Member {
  private readonly pending: Pending[] = [];
  private failure: TrainerError | undefined;

  /**
   * @param name of the replica, for errors
   * @param onFailure called once, where an answer is an error or the thread has ended
   */
  constructor(
    private readonly link: ReplicaLink,
    private readonly name: string,
    private readonly onFailure: (error: TrainerError) => void,
  ) {
    link.listen((message) => this.receive(message as ReplicaAnswer));
    link.onEnd((cause) => {
      const what = this.pending[0]?.what ?? 'between two requests';
      this.onFailure(failed(this.name, what, cause.message, cause));
    });
  }

  /** @param what the replica is at, for errors: `in step 3` */
  ask<Kind extends ReplicaAnswer['kind']>(
    request: ReplicaRequest,
    { answer, what, transfer }: { answer: Kind; what: string; transfer?: readonly ArrayBuffer[] },
  ): Promise<Extract<ReplicaAnswer, { kind: Kind }>> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const promise = new Promise<ReplicaAnswer>((resolve, reject) => {
      this.pending.push({ what, resolve, reject });
    }).then((received) => {
      if (received.kind === answer) return received as Extract<ReplicaAnswer, { kind: Kind }>;
      throw failed(this.name, what, `it answered ${received.kind} where ${answer} was due`);
    });
    // Whoever waits sees the error; one that nobody waits for any more must not end the process.
    promise.catch(() => undefined);
    this.link.waiting?.(true);
    try {
      this.link.post(request, transfer);
    } catch (error) {
      this.onFailure(failed(this.name, what, `what it was sent can't be cloned: ${(error as Error).message}`, error));
    }
    return promise;
  }

  /** Rejects what is due and ends the thread. */
  async end(error: TrainerError): Promise<void> {
    this.failure ??= error;
    for (const { reject } of this.pending.splice(0)) reject(this.failure);
    this.link.waiting?.(false);
    await this.link.end();
  }

  private receive(answer: ReplicaAnswer): void {
    const due = this.pending.shift();
    if (due === undefined) return;
    if (this.pending.length === 0) this.link.waiting?.(false);
    if (answer.kind !== 'failed') {
      due.resolve(answer);
      return;
    }
    const cause = new Error(answer.message);
    if (answer.stack !== undefined) cause.stack = answer.stack;
    const error = failed(this.name, due.what, answer.message, cause);
    due.reject(error);
    this.onFailure(error);
  }
}

function failed(name: string, what: string, message: string, cause?: unknown): TrainerError {
  return new TrainerError('REPLICA_FAILED', `${name} failed ${what}: ${message}`, { cause });
}
