import { type Awaitable } from '../storage';

/** Where a journal's lines are kept. Source: optuna.storages.journal.BaseJournalBackend. */
export interface JournalBackend {
  /** What errors call it: a file's path. */
  readonly place: string;
  /** The complete lines from number `from` (counted from 0) on, without their ends. */
  readLines(from: number): Awaitable<Iterable<string>>;
  /** Adds lines at the end, all or none, and returns once they are lasting. */
  appendLines(lines: readonly string[]): Awaitable<void>;
  /** Runs work that reads and then appends by the function it is given, while no other writer appends. */
  exclusively<T>(work: (append: (lines: readonly string[]) => Promise<void>) => Promise<T>): Promise<T>;
}

/**
 * A journal as text in memory: what a page offers for download, or keeps in its own store, and Optuna opens as a file.
 */
export class TextJournalBackend implements JournalBackend {
  readonly place = 'the journal';
  private readonly lines: string[];
  private turn: Promise<void> = Promise.resolve();

  /** @param text lines of a journal; an unfinished last one is dropped */
  constructor(text = '') {
    this.lines = text.split('\n').slice(0, -1);
  }

  get text(): string {
    return this.lines.map((line) => `${line}\n`).join('');
  }

  readLines(from: number): Iterable<string> {
    return this.lines.slice(from);
  }

  appendLines(lines: readonly string[]): Promise<void> {
    return this.exclusively((append) => append(lines));
  }

  exclusively<T>(work: (append: (lines: readonly string[]) => Promise<void>) => Promise<T>): Promise<T> {
    const done = this.turn.then(() => work(async (lines) => void this.lines.push(...lines)));
    this.turn = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }
}
