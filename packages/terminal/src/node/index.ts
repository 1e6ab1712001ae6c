import { basename } from 'node:path';
import { type RunEvent } from '@qlora-js/tracking';
import { followRunEvents, runFolders } from '@qlora-js/tracking/node';
import { NO_RUN, rowLine, runNotes, type RunView, searchLine, viewAfter } from '../run-view';
import { type ActivityBar, type TerminalOutput } from '../terminal-output';

/** What is watched, and where it is shown. */
export interface WatchOptions {
  /** A run's folder, or one with runs below it, such as a search's. */
  readonly folder: string;
  readonly output: TerminalOutput;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Milliseconds between two looks. Default 500. */
  readonly intervalMs?: number;
}

/**
 * Follows a run or a search from its JSON lines, as another process writes them: a line for each row, below them a line for each run
 * that goes on and, of several runs, how they stand. Runs that begin later are found. Ends with the signal.
 *
 * @throws TrackingError READ_FAILED where the folder cannot be read
 */
export async function watchRuns({ folder, output, signal, intervalMs = 500 }: WatchOptions): Promise<void> {
  const views = new Map<string, RunView>();
  const ended: Promise<void>[] = [];
  const follow = async (run: string): Promise<void> => {
    let bar: ActivityBar | undefined;
    for await (const events of followRunEvents(run, { signal, intervalMs })) {
      const view = viewAfter(views.get(run) ?? NO_RUN, events);
      views.set(run, view);
      const name = view.name || basename(run);
      for (const line of linesOf(name, events)) output.line(line);
      if (view.status === 'running') {
        bar ??= output.bar(name, view.maxSteps ?? 0);
        bar.update(view.step, ...runNotes(view));
      } else {
        bar?.stop();
        bar = undefined;
      }
      if (views.size > 1) output.note(searchLine([...views.values()]));
    }
    bar?.stop();
  };
  while (!signal.aborted) {
    for (const run of await runFolders(folder)) {
      if (views.has(run)) continue;
      views.set(run, NO_RUN);
      ended.push(follow(run));
    }
    await pause(intervalMs, signal);
  }
  await Promise.all(ended);
}

function linesOf(name: string, events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.event === 'log') return [rowLine(name, event.step, event.metrics)];
    if (event.event === 'finish') return [`${name}  ${event.status}`];
    return [];
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}
