import { SingleBar } from 'cli-progress';

/** What a run says: sections, lines, and a progress bar where a person is watching. */
export interface Output {
  section(title: string): void;
  line(text?: string): void;
  warn(text: string): void;
  /** A bar over `total` steps; update with the steps done. */
  bar(label: string, total: number): ProgressBar;
}

/** An output that has a terminal to give back. */
export interface TerminalOutput extends Output {
  /** Stops the bar that is running and shows the cursor again; nothing where none is. */
  restore(): void;
}

export interface ProgressBar {
  update(done: number, note?: string): void;
  stop(): void;
}

/** For work of which nothing is to be said. */
export const SILENT: Output = {
  section: () => undefined,
  line: () => undefined,
  warn: () => undefined,
  bar: () => ({ update: () => undefined, stop: () => undefined }),
};

export interface TerminalOptions {
  /** Draw bars; off for logs. */
  readonly progress: boolean;
}

/** Writes to standard output, bars to standard error so that a redirected log stays readable. */
export function terminalOutput({ progress }: TerminalOptions): TerminalOutput {
  let current: SingleBar | undefined;
  const print = (text: string): void => {
    // A line printed over a running bar would leave half of it standing.
    if (current !== undefined && process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(text);
  };
  return {
    section: (title) => print(`\n== ${title} ${'='.repeat(Math.max(0, 76 - title.length))}`),
    line: (text = '') => print(text),
    warn: (text) => print(`warning: ${text}`),
    restore: () => current?.stop(),
    bar: (label, total) => {
      if (!progress || total === 0) return { update: () => undefined, stop: () => undefined };
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
