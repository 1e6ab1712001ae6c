import type { BadRows, SkippedRow, Table } from '../read/table';
import { badRowHandler } from '../read/table';
import { DataError, shown } from '../errors';
import type { ChosenColumns } from './columns';

/** Where a row came from. */
export interface RowPlace {
  /** The file, as its set names it. */
  readonly file: string;
  /** Line of a text file, row of another, counted from 1. */
  readonly number: number;
  /** What `number` counts. */
  readonly numbering: 'line' | 'row';
}

/** "train.csv, line 12" */
export function placeOf({ file, number, numbering }: RowPlace): string {
  return `${file}, ${numbering} ${number}`;
}

/** A row whose text is checked and whose label is as the file has it. */
export interface RawRow {
  /** The text; for pairs, both with the separator between them. */
  readonly text: string;
  /** The label's value in the file. */
  readonly value: unknown;
  /** Where the row came from. */
  readonly place: RowPlace;
}

/** How rows are taken from a table. */
export interface RowOptions {
  /** Default 'error'. */
  readonly onBadRow: BadRows;
  /** Stands between the two texts of a pair. */
  readonly pairSeparator: string;
}

/** Takes texts and labels from a table's columns; a row without either is refused or left out. */
export function rawRows(
  { file, table }: { readonly file: string; readonly table: Table },
  columns: ChosenColumns,
  { onBadRow, pairSeparator }: RowOptions,
): { readonly rows: RawRow[]; readonly skipped: readonly SkippedRow[] } {
  const { refuse, skipped } = badRowHandler(onBadRow);
  const { dataset, numbers, numbering } = table;
  const texts = dataset.column(columns.text);
  const pairs = columns.textPair === undefined ? undefined : dataset.column(columns.textPair);
  const labels = dataset.column(columns.label);
  const rows: RawRow[] = [];
  texts.forEach((text, index) => {
    const place: RowPlace = { file, number: numbers[index]!, numbering };
    const at = placeOf(place);
    const error =
      textFault(text, columns.text, at) ??
      (pairs === undefined ? undefined : textFault(pairs[index], columns.textPair!, at)) ??
      labelFault(labels[index], columns.label, at);
    if (error !== undefined) return refuse(at, error);
    const whole = pairs === undefined ? (text as string) : `${text as string}${pairSeparator}${pairs[index] as string}`;
    rows.push({ text: whole, value: labels[index], place });
  });
  return { rows, skipped };
}

function textFault(text: unknown, column: string, place: string): DataError | undefined {
  if (typeof text !== 'string') {
    const missing = text === null || text === undefined;
    const fault = missing ? 'the text is missing' : `the text must be a string, got ${shown(text)}`;
    return new DataError(missing ? 'EMPTY_TEXT' : 'INVALID_ROW', `${place}: ${fault} (column ${shown(column)})`, text);
  }
  if (text.trim() !== '') return undefined;
  return new DataError(
    'EMPTY_TEXT',
    `${place}: the text is empty (column ${shown(column)}); remove the row or fill it`,
    text,
  );
}

function labelFault(label: unknown, column: string, place: string): DataError | undefined {
  if (label !== null && label !== undefined && label !== '') return undefined;
  return new DataError(
    'INVALID_ROW',
    `${place}: the label is missing (column ${shown(column)}); remove the row or fill it`,
    label,
  );
}
