/** What a run says: sections, lines, and what is under way where a person is watching. `TerminalOutput` of @qlora-js/terminal is one. */
export interface Output {
  /** Begins a stage. */
  section(title: string): void;
  /** Says something about the stage. */
  line(text?: string): void;
  /** Says what should be looked at. */
  warn(text: string): void;
  /** Shows something of `total` steps or bytes under way; 0 where its end is not known. */
  bar(label: string, total: number, options?: { readonly unit?: 'steps' | 'bytes' }): ProgressBar;
  /** One line of words below what is under way, such as the trials so far; '' takes it away. */
  note(text: string): void;
}

/** Something that is under way. */
export interface ProgressBar {
  /** Says how far it is; the notes stand behind it, the most important first, as many as fit. */
  update(done: number, ...notes: readonly string[]): void;
  /** Ends it. */
  stop(): void;
}

/** For work of which nothing is to be said. */
export const SILENT: Output = {
  section: () => undefined,
  line: () => undefined,
  warn: () => undefined,
  bar: () => ({ update: () => undefined, stop: () => undefined }),
  note: () => undefined,
};
