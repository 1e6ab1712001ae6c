import { policedWorker } from '../worker/policed-worker';
import { ROLES } from '../worker/scope';
import type { Answer, Calls, Problem, RunEvent, Slot } from '../worker/protocol';
import workerAddress from '../worker/main.ts?worker&url';

/** A call that a worker refused or that it ended in. */
export class RunError extends Error {
  override readonly name = 'RunError';

  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: RunError) => void;
}

/** The page's side of a run's worker: calls that are answered, and events. */
export class RunClient {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private calls = 0;

  constructor(slot: Slot, onEvent: (event: RunEvent) => void) {
    this.worker = policedWorker(
      new URL(workerAddress, document.baseURI).href,
      slot === 'b' ? ROLES.second : ROLES.first,
    );
    this.worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if (data.kind === 'event') {
        onEvent(data.event);
        return;
      }
      const due = this.pending.get(data.id);
      this.pending.delete(data.id);
      if (data.kind === 'answer') due?.resolve(data.value as never);
      else due?.reject(new RunError(data.problem));
    });
    this.worker.addEventListener('error', ({ message }) =>
      this.fail({ code: 'WORKER', message: message || 'the worker could not be started' }),
    );
  }

  call<Name extends keyof Calls>(call: Name, argument: Parameters<Calls[Name]>[0]): Promise<ReturnType<Calls[Name]>> {
    const id = this.calls++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, call, argument });
    });
  }

  /** Ends the worker, whatever it is at. */
  terminate(): void {
    this.worker.terminate();
    this.fail({ code: 'ENDED', message: 'the run was ended' });
  }

  private fail(problem: Problem): void {
    for (const { reject } of this.pending.values()) reject(new RunError(problem));
    this.pending.clear();
  }
}
