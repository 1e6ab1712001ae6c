/** Older speeds count for less by a factor of e after so long. */
const MEMORY_SECONDS = 5;
/** Pieces that come within this are taken together: a clock is too coarse for each alone. */
const SHORTEST_SECONDS = 0.25;

/** How fast something that counts up goes, smoothed over the last seconds. */
export class Speed {
  private last: { count: number; seconds: number } | undefined;
  private smoothed: number | undefined;

  /** @param now seconds of any clock */
  constructor(private readonly now: () => number = () => performance.now() / 1000) {}

  /** Notes how far it is. The first note only starts the clock: what was there before was not fetched now. */
  note(count: number): void {
    const seconds = this.now();
    if (this.last === undefined || count < this.last.count) {
      this.last = { count, seconds };
      return;
    }
    const elapsed = seconds - this.last.seconds;
    if (elapsed < SHORTEST_SECONDS) return;
    const speed = (count - this.last.count) / elapsed;
    const weight = 1 - Math.exp(-elapsed / MEMORY_SECONDS);
    this.smoothed = this.smoothed === undefined ? speed : this.smoothed + weight * (speed - this.smoothed);
    this.last = { count, seconds };
  }

  /** Units a second; undefined before there is any speed. */
  get perSecond(): number | undefined {
    return this.smoothed;
  }

  /** Seconds until `total` at that speed. */
  secondsLeft(count: number, total: number | undefined): number | undefined {
    if (total === undefined || this.smoothed === undefined || this.smoothed <= 0) return undefined;
    return (total - count) / this.smoothed;
  }
}
