import { DataError, shown } from '../errors';
import { IGNORED_LABEL, type LanguageModelRow } from '../batch/language-model-collator';
import { Dataset } from './dataset';

/** Texts that lie in one row. */
export interface PackedRow extends LanguageModelRow {
  input_ids: number[];
  labels: number[];
  seq_lengths: number[];
}

/** How texts are packed. */
export interface PackOptions {
  /** Tokens of a row, at most. */
  readonly maxLength: number;
  /**
   * `bfd` (default) puts whole texts together, best fit decreasing (Ding et al. 2024, arXiv 2404.10830); they see nothing of
   * each other, and no text is cut. `wrapped` lays all texts end to end and cuts that into rows of maxLength tokens, which read
   * across the ends of texts; the rest that fills no row is left out. trl's words for both.
   */
  readonly strategy?: 'bfd' | 'wrapped';
}

/**
 * Short texts together in rows of at most maxLength tokens, so that a batch of so many rows has about the same number of
 * tokens every time.
 *
 * @returns rows with the columns input_ids, labels and seq_lengths, for `DataCollatorForLanguageModeling`
 * @throws DataError `INVALID_OPTION`, `ROW_TOO_LONG` for a text that fits no row, `INVALID_ROW` where nothing is left
 */
export function packRows(
  texts: Dataset<LanguageModelRow>,
  { maxLength, strategy = 'bfd' }: PackOptions,
): Dataset<PackedRow> {
  if (!Number.isInteger(maxLength) || maxLength < 2) {
    throw new DataError('INVALID_OPTION', `maxLength is an integer of at least 2, got ${shown(maxLength)}`, maxLength);
  }
  if (strategy !== 'bfd' && strategy !== 'wrapped') {
    throw new DataError('INVALID_OPTION', `strategy is 'bfd' or 'wrapped', got ${shown(strategy)}`, strategy);
  }
  const whole = [...texts].map(({ input_ids: ids, labels }) => ({
    input_ids: Array.from(ids),
    labels: Array.from(labels ?? ids),
  }));
  const packed = strategy === 'bfd' ? bestFitDecreasing(whole, maxLength) : wrapped(whole, maxLength);
  return Dataset.fromRows(packed, ['input_ids', 'labels', 'seq_lengths']);
}

type Text = Pick<PackedRow, 'input_ids' | 'labels'>;

function bestFitDecreasing(texts: readonly Text[], maxLength: number): PackedRow[] {
  const tooLong = texts.findIndex(({ input_ids: ids }) => ids.length > maxLength);
  if (tooLong >= 0) {
    const { length } = texts[tooLong]!.input_ids;
    throw new DataError(
      'ROW_TOO_LONG',
      `text ${tooLong} has ${length} tokens, maxLength is ${maxLength}; truncate when tokenizing`,
      length,
    );
  }
  const longestFirst = texts
    .map((_, index) => index)
    .sort((a, b) => texts[b]!.input_ids.length - texts[a]!.input_ids.length || a - b);
  /** Rows by how many tokens more they take. */
  const bySpace = Array.from({ length: maxLength + 1 }, (): PackedRow[] => []);
  const rows: PackedRow[] = [];
  for (const index of longestFirst) {
    const { input_ids: ids, labels } = texts[index]!;
    let space = ids.length;
    while (space <= maxLength && bySpace[space]!.length === 0) space++;
    let row = bySpace[space]?.shift();
    if (row === undefined) {
      row = { input_ids: [], labels: [], seq_lengths: [] };
      rows.push(row);
      space = maxLength;
    }
    row.input_ids.push(...ids);
    row.labels.push(...labels);
    row.seq_lengths.push(ids.length);
    bySpace[space - ids.length]!.push(row);
  }
  return rows;
}

function wrapped(texts: readonly Text[], maxLength: number): PackedRow[] {
  const ids = texts.flatMap(({ input_ids: own }) => own);
  const labels = texts.flatMap(({ labels: own }) => own);
  const rows: PackedRow[] = [];
  for (let start = 0; start + maxLength <= ids.length; start += maxLength) {
    const part = labels.slice(start, start + maxLength);
    // A row that is all prompt teaches nothing.
    if (part.slice(1).every((label) => label === IGNORED_LABEL)) continue;
    rows.push({ input_ids: ids.slice(start, start + maxLength), labels: part, seq_lengths: [maxLength] });
  }
  if (rows.length > 0) return rows;
  throw new DataError('INVALID_ROW', `${ids.length} tokens fill no row of ${maxLength}; lower maxLength`, ids.length);
}
