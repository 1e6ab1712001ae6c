import { KernelError } from '../../errors';

/** A run of rows that attend to each other. */
export interface Sequence {
  readonly rowStart: number;
  readonly rowCount: number;
  /** First key that may be attended to, counted from rowStart; above 0 under left padding. */
  readonly keyStart: number;
  /** End of the keys, exclusive; below rowCount under right padding. */
  readonly keyEnd: number;
}

/** Integers a sequence takes in the tensor `sequences` [S, 4]. */
export const SEQUENCE_FIELDS = 4;

/**
 * Reads and checks `sequences`, sorted by their first row.
 * @throws KernelError BAD_ARGUMENT for a sequence outside the rows, longer than keyStride, or lying over another
 */
export function readSequences(values: ArrayLike<number>, rows: number, keyStride: number): Sequence[] {
  const sequences: Sequence[] = [];
  for (let s = 0; s + SEQUENCE_FIELDS <= values.length; s += SEQUENCE_FIELDS) {
    const [rowStart = 0, rowCount = 0, keyStart = 0, keyEnd = 0] = Array.from({ length: 4 }, (_, i) => values[s + i]!);
    const fits = rowStart >= 0 && rowCount >= 0 && rowStart + rowCount <= rows && keyStart >= 0 && keyEnd <= rowCount;
    if (!fits) {
      throw new KernelError(
        'BAD_ARGUMENT',
        `attention: sequence ${s / SEQUENCE_FIELDS} (rowStart ${rowStart}, rowCount ${rowCount}, keyStart ${keyStart}, keyEnd ${keyEnd}) does not lie within the ${rows} rows of qkv`,
      );
    }
    if (rowCount > keyStride) {
      throw new KernelError(
        'BAD_ARGUMENT',
        `attention: sequence ${s / SEQUENCE_FIELDS} has ${rowCount} rows, more than keyStride ${keyStride}; its dropout would repeat`,
      );
    }
    sequences.push({ rowStart, rowCount, keyStart, keyEnd });
  }
  sequences.sort((a, b) => a.rowStart - b.rowStart);
  for (let s = 1; s < sequences.length; s++) {
    const before = sequences[s - 1]!;
    const { rowStart } = sequences[s]!;
    if (before.rowStart + before.rowCount > rowStart) {
      throw new KernelError('BAD_ARGUMENT', `attention: row ${rowStart} lies in two sequences`);
    }
  }
  return sequences;
}

/** Whether query i attends to key j, both counted from the sequence's first row. */
export function attends({ keyStart, keyEnd }: Sequence, i: number, j: number): boolean {
  return j >= keyStart && j <= i && j < keyEnd;
}
