import { SILENT, type Output } from '@qlora-js/finetune';
import { SingleBar } from 'cli-progress';

/** An output that has a terminal to give back. */
export interface TerminalOutput extends Output {
  /** Stops the bar that is running and shows the cursor again; nothing where none is. */
  restore(): void;
}

/** How a command speaks. */
export interface TerminalOptions {
  /** Draw bars; off for logs. */
  readonly progress: boolean;
  /** Say warnings alone. Default false. */
  readonly quiet?: boolean;
  /** Leave standard output to the result. Default false. */
  readonly json?: boolean;
}

const NO_BAR = { update: () => undefined, stop: () => undefined };

/**
 * Writes to standard output, or to standard error where the result is to stand on standard output alone; bars always to
 * standard error, so that a redirected log stays readable.
 */
export function terminalOutput({ progress, quiet = false, json = false }: TerminalOptions): TerminalOutput {
  let current: SingleBar | undefined;
  const print = (text: string, warning = json): void => {
    // A line printed over a running bar would leave half of it standing.
    if (current !== undefined && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    if (warning) console.error(text);
    else console.log(text);
  };
  const restore = (): void => current?.stop();
  const warn = (text: string): void => print(`warning: ${text}`, quiet || json);
  if (quiet) return { ...SILENT, warn, restore };
  return {
    section: (title) => print(`\n== ${title} ${'='.repeat(Math.max(0, 76 - title.length))}`),
    line: (text = '') => print(text),
    warn,
    restore,
    bar: (label, total) => {
      if (!progress || total === 0) return NO_BAR;
      const bar = new SingleBar({
        format: `${label.padEnd(12)} {bar} {value}/{total} | {duration_formatted} < {eta_formatted} | {note}`,
        stream: process.stderr,
        hideCursor: true,
        clearOnComplete: false,
        noTTYOutput: !process.stderr.isTTY,
        notTTYSchedule: 20_000,
        barsize: 30,
        etaBuffer: 50,
        // Its own handlers stop the bar at a signal and let the process run on.
        gracefulExit: false,
      });
      bar.start(total, 0, { note: '' });
      current = bar;
      return {
        update: (done, note) => bar.update(done, note === undefined ? {} : { note }),
        stop: () => {
          bar.stop();
          if (current === bar) current = undefined;
        },
      };
    },
  };
}
