/** What a run says: sections, lines, and a progress bar where a person is watching. */
export interface Output {
  /** Begins a stage. */
  section(title: string): void;
  /** Says something about the stage. */
  line(text?: string): void;
  /** Says what should be looked at. */
  warn(text: string): void;
  /** A bar over `total` steps; update with the steps done. */
  bar(label: string, total: number): ProgressBar;
}

/** A bar that is being drawn. */
export interface ProgressBar {
  /** Moves it to the steps that are done; `note` stands behind it. */
  update(done: number, note?: string): void;
  /** Ends it. */
  stop(): void;
}

/** For work of which nothing is to be said. */
export const SILENT: Output = {
  section: () => undefined,
  line: () => undefined,
  warn: () => undefined,
  bar: () => ({ update: () => undefined, stop: () => undefined }),
};
