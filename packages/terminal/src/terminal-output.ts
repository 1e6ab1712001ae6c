import { progressLine, type ProgressUnit } from './progress-line';
import { StatusArea, type TerminalStream } from './status-area';

/** How a command speaks: `auto` draws where the stream is a terminal and writes plain lines where it is not. */
export type OutputMode = 'auto' | 'plain' | 'quiet' | 'json';

/** Where a command speaks, and how. */
export interface TerminalOutputOptions {
  readonly mode: OutputMode;
  /** Takes lines; `process.stdout`. */
  readonly out: TerminalStream;
  /** Takes warnings and the status area, so that redirected lines stay clean; `process.stderr`. */
  readonly status: TerminalStream;
  /** Clock in milliseconds, growing. Default performance.now. */
  readonly now?: () => number;
}

/** One thing under way. */
export interface ActivityBar {
  /** Says how far it has come. Later notes replace earlier ones. */
  update(done: number, ...notes: readonly string[]): void;
  /** Ends it. */
  stop(): void;
}

/** What is counted. */
export interface BarOptions {
  /** Default steps. */
  readonly unit?: ProgressUnit;
}

/** What a command says: lines, warnings, and below them one line for each thing under way. */
export interface TerminalOutput {
  /** Begins a stage. */
  section(title: string): void;
  /** Says something. */
  line(text?: string): void;
  /** Says what should be looked at; in every mode. */
  warn(text: string): void;
  /** Shows something under way; `total` 0 where its end is not known. */
  bar(label: string, total: number, options?: BarOptions): ActivityBar;
  /** One line of words in the status area, such as the trials so far; '' takes it away. */
  note(text: string): void;
  /** Gives the terminal back as it was. */
  restore(): void;
}

/** Milliseconds between two drawings, and between two lines of progress where nothing is drawn. */
const DRAWN_EVERY = 80;
const SAID_EVERY = 20_000;
/** Milliseconds between two JSON objects of one thing under way. */
const TOLD_EVERY = 1000;

/**
 * Lines, warnings and one status area. Quiet: warnings alone. JSON: one object a line, `{"type":"line","text":...}`, on the
 * same streams, of progress one a second at most. Plain: lines, and a line of progress now and then.
 */
export function terminalOutput({
  mode,
  out,
  status,
  now = () => performance.now(),
}: TerminalOutputOptions): TerminalOutput {
  const draws = mode === 'auto' && status.isTTY === true;
  const area = draws ? new StatusArea(status) : undefined;
  const bars = new Map<object, () => string>();
  let words = '';
  let drawnAt = -Infinity;
  const draw = (atOnce: boolean): void => {
    if (area === undefined || (!atOnce && now() - drawnAt < DRAWN_EVERY)) return;
    drawnAt = now();
    area.set([...[...bars.values()].map((line) => line()), ...(words === '' ? [] : [words])]);
  };
  const write = (stream: TerminalStream, type: string, text: string): void => {
    if (mode === 'json') stream.write(`${JSON.stringify({ type, text })}\n`);
    // Where lines go to the same terminal, they go above the area.
    else if (area !== undefined && (stream === status || stream.isTTY === true)) area.above(text);
    else stream.write(`${text}\n`);
  };
  return {
    section: (title) => {
      if (mode === 'quiet') return;
      const ruler = '='.repeat(Math.max(0, Math.min(80, out.columns ?? 80) - title.length - 5));
      write(out, 'section', mode === 'json' ? title : `\n== ${title} ${ruler}`);
    },
    line: (text = '') => {
      if (mode !== 'quiet') write(out, 'line', text);
    },
    warn: (text) => write(status, 'warning', mode === 'json' ? text : `warning: ${text}`),
    bar: (label, total, { unit } = {}) => {
      const key = {};
      let done = 0;
      // Where the first update found it: what an earlier process did says nothing of the speed.
      let begun: { readonly at: number; readonly done: number } | undefined;
      let notes: readonly string[] = [];
      let saidAt = mode === 'json' ? -Infinity : now();
      const line = (width: number): string => {
        const seconds = begun === undefined ? 0 : (now() - begun.at) / 1000;
        const rate = seconds > 0 && done > begun!.done ? (done - begun!.done) / seconds : undefined;
        return progressLine({ label, done, total, unit, rate, notes }, width);
      };
      bars.set(key, () => line((status.columns ?? 80) - 1));
      draw(true);
      return {
        update: (value, ...more) => {
          done = value;
          begun ??= { at: now(), done };
          if (more.length > 0) notes = more;
          if (mode === 'json') {
            if (now() - saidAt < TOLD_EVERY && done !== total) return;
            saidAt = now();
            status.write(`${JSON.stringify({ type: 'progress', label, done, total, unit, notes })}\n`);
          } else if (mode !== 'quiet' && !draws && now() - saidAt >= SAID_EVERY) {
            saidAt = now();
            status.write(`${line(100)}\n`);
          } else draw(total > 0 && value >= total);
        },
        stop: () => {
          bars.delete(key);
          draw(true);
        },
      };
    },
    note: (text) => {
      words = text;
      draw(true);
    },
    restore: () => area?.clear(),
  };
}
