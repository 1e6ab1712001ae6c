/**
 * Text as it comes, up to the first of some strings: what could be the beginning of one is held back until it is known.
 */
export class StopStrings {
  private held = '';
  /** Whether one has come; nothing comes after it. */
  stopped = false;

  /** @param stops none of them empty */
  constructor(private readonly stops: readonly string[]) {}

  /** The part of all text so far that is sure not to belong to a stop, and was not given before. */
  push(piece: string): string {
    if (this.stopped) return '';
    const text = this.held + piece;
    const starts = this.stops.map((stop) => text.indexOf(stop)).filter((start) => start >= 0);
    if (starts.length > 0) {
      this.stopped = true;
      this.held = '';
      return text.slice(0, Math.min(...starts));
    }
    const kept = Math.max(0, ...this.stops.map((stop) => longestBeginning(text, stop)));
    this.held = text.slice(text.length - kept);
    return text.slice(0, text.length - kept);
  }

  /** What was held back and is no stop after all. */
  end(): string {
    const rest = this.held;
    this.held = '';
    return rest;
  }
}

/** Characters at the end of the text that are the beginning of the stop. */
function longestBeginning(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
