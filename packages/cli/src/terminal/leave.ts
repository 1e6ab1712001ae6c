import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What a shell shows for a process that a signal has ended. */
const exitCode = (signal: keyof typeof constants.signals): number => 128 + constants.signals[signal];

/**
 * Ends the process as a command should: quietly where the reader of its output has gone away (`... | head`), and with
 * `restore` called, which gives the terminal back, whichever way it ends. A signal's exit code is the shell's, 128 and its
 * number; a closed pipe counts as SIGPIPE, because the work was not finished.
 */
export function leaveCleanly(restore: () => void): void {
  process.on('exit', restore);
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // Work that stops in good order listens too, and ends the process itself.
      if (process.listenerCount(signal) === 1) process.exit(exitCode(signal));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitCode('SIGPIPE'));
      throw error;
    });
  }
}
