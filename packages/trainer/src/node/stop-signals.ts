import { constants } from 'node:os';
import { TrainerError } from '../errors';

/** Signals that end a program when a person, a scheduler or a closed terminal asks for it. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How `stopOnSignals` speaks. */
export interface StopOnSignalsOptions {
  /** Takes what it has to say; default the standard error stream. */
  readonly log?: (line: string) => void;
}

/**
 * Runs a program's work so that SIGINT, SIGTERM and SIGHUP stop it in good order: `signal` is aborted, a `Trainer` that was
 * given it finishes its step, saves and rejects with an error of code STOPPED, which is logged. The process then ends as
 * one does that a signal has ended, with 128 and the signal's number: 130, 143 or 129. A second signal ends it at once, the
 * terminal's cursor given back.
 *
 * @returns what `work` returns; undefined where it was stopped
 */
export async function stopOnSignals<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { log = (line) => console.error(line) }: StopOnSignalsOptions = {},
): Promise<Result | undefined> {
  const abort = new AbortController();
  let exitCode: number | undefined;
  const listener = (name: NodeJS.Signals): void => {
    const code = 128 + constants.signals[name];
    if (exitCode !== undefined) {
      for (const stream of [process.stdout, process.stderr]) if (stream.isTTY) stream.write('\x1b[?25h\x1b[0m');
      process.exit(code);
    }
    exitCode = code;
    log(`${name}: finishing the step and saving; once more ends at once`);
    abort.abort(name);
  };
  for (const name of SIGNALS) process.on(name, listener);
  try {
    return await work(abort.signal);
  } catch (error) {
    if (exitCode === undefined || !TrainerError.isInstance(error) || error.code !== 'STOPPED') throw error;
    log(error.message);
    return undefined;
  } finally {
    for (const name of SIGNALS) process.off(name, listener);
    if (exitCode !== undefined) process.exitCode = exitCode;
  }
}
