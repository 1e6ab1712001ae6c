import type { MessageTarget } from '@qlora-js/trainer';
import type { Answer, Calls, Problem, Request, RunEvent, Slot } from './protocol';
import { Run } from './run';

/** What answers the page's calls. */
export type Handlers = {
  readonly [Name in keyof Calls]: (
    argument: Parameters<Calls[Name]>[0],
  ) => ReturnType<Calls[Name]> | Promise<ReturnType<Calls[Name]>>;
};

/**
 * Answers the page's calls and tells what happens. Calls are taken as they come, since one must be able to pause what
 * another has begun.
 *
 * @param module this worker's own address, which its replicas start from
 */
export function serveRun(
  scope: MessageTarget,
  { slot, module }: { readonly slot: Slot; readonly module: string },
): void {
  const post = (answer: Answer): void => scope.postMessage(answer, []);
  const run: Handlers = new Run(slot, (event: RunEvent) => post({ kind: 'event', event }), module);
  scope.addEventListener('message', ({ data }) => {
    const { id, call, argument } = data as Request;
    const handle = run[call].bind(run) as (argument: unknown) => unknown;
    void (async () => {
      try {
        post({ kind: 'answer', id, value: await handle(argument) });
      } catch (error) {
        post({ kind: 'refused', id, problem: problemOf(error) });
      }
    })();
  });
}

/** An error in words; packages' errors carry a code. */
function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return { code: 'UNEXPECTED', message: String(error) };
  const { code } = error as { code?: unknown };
  return { code: typeof code === 'string' ? code : error.name, message: error.message };
}
