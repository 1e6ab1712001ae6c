import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';

/** Where a status area is drawn; Node's `process.stderr` is one. */
export interface TerminalStream {
  /** Writes text and control sequences. */
  write(text: string): unknown;
  /** Whether it is a terminal that can be drawn on. */
  readonly isTTY?: boolean;
  /** Width in characters. */
  readonly columns?: number;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const ERASE_BELOW = '\u001b[0J';

/**
 * A few lines at the end of a terminal that are drawn over, with everything else above them. A line is cut to the terminal's
 * width and never wraps, so that the area is as high as it has lines; where the terminal has become narrower since, the rows its
 * lines wrapped to are counted.
 */
export class StatusArea {
  private drawn: readonly string[] = [];
  private lines: readonly string[] = [];

  constructor(private readonly stream: TerminalStream) {}

  /** Shows these lines from now on. */
  set(lines: readonly string[]): void {
    this.lines = lines;
    this.stream.write(this.erasing() + this.drawing());
  }

  /** Writes text above the area, whole, whatever its length. */
  above(text: string): void {
    this.stream.write(`${this.erasing()}${text}\n${this.drawing()}`);
  }

  /** Takes the area away and gives the cursor back; what is set later is drawn anew. */
  clear(): void {
    if (this.drawn.length === 0) return;
    this.lines = [];
    this.stream.write(this.erasing() + SHOW_CURSOR);
    this.drawn = [];
  }

  private drawing(): string {
    // One column stays free: some terminals wrap when the last one is written.
    const width = Math.max(1, this.columns() - 1);
    const hidden = this.drawn.length === 0 && this.lines.length > 0 ? HIDE_CURSOR : '';
    this.drawn = this.lines.map((line) => cliTruncate(oneLine(line), width));
    return hidden + this.drawn.map((line) => `${line}\n`).join('');
  }

  private erasing(): string {
    const columns = this.columns();
    const rows = this.drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)), 0);
    return rows === 0 ? '' : `\u001b[${rows}A\r${ERASE_BELOW}`;
  }

  private columns(): number {
    return this.stream.columns ?? 80;
  }
}

/** Text that moves no cursor: texts of data may hold anything. */
function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
