import type { Dataset } from '../dataset/dataset';
import type { DataError } from '../errors';

/** What happens to a row that can't be used: the file is refused, or the row left out and counted. */
export type BadRows = 'error' | 'skip';

/** A row that was left out. */
export interface SkippedRow {
  /** File and line or row, as errors name it. */
  readonly place: string;
  /** Why, as the error says it that refuses such a row. */
  readonly cause: string;
}

/** A file as a table. */
export interface Table {
  /** The rows. */
  readonly dataset: Dataset;
  /** Where each row stands in the file, counted from 1: its line in a text file, its row in others. */
  readonly numbers: readonly number[];
  /** What `numbers` counts. */
  readonly numbering: 'line' | 'row';
  /** Names of classes by column, where the file itself says them. */
  readonly classNames: ReadonlyMap<string, readonly string[]>;
  /** Rows that were left out. */
  readonly skipped: readonly SkippedRow[];
}

/** What is done with bad rows, and those that were left out. */
export interface BadRowHandler {
  /** Throws a row's error, or notes the row as left out. */
  readonly refuse: (place: string, error: DataError) => void;
  /** Rows that were left out, in the order they came. */
  readonly skipped: SkippedRow[];
}

/** Handles bad rows as `onBadRow` says. */
export function badRowHandler(onBadRow: BadRows): BadRowHandler {
  const skipped: SkippedRow[] = [];
  return {
    skipped,
    refuse: (place, error) => {
      if (onBadRow === 'error') throw error;
      skipped.push({ place, cause: error.message });
    },
  };
}
