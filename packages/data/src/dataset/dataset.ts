import { DataError, shown } from '../errors';
import { SeededRandom } from '../random';

type ColumnName<Row> = keyof Row & string;

/**
 * An immutable table, kept by columns. Every method that changes something returns a new data set; columns that did
 * not change are shared. Values themselves (token lists, say) are not copied and must not be written to.
 */
export class Dataset<Row extends object = Record<string, unknown>> {
  private readonly columns: ReadonlyMap<string, readonly unknown[]>;
  readonly numRows: number;

  private constructor(columns: ReadonlyMap<string, readonly unknown[]>, numRows: number) {
    this.columns = columns;
    this.numRows = numRows;
  }

  /**
   * A data set of rows that all have the same columns.
   * @param columnNames needed only where there may be no rows to read them from
   * @throws DataError `UNEVEN_ROWS`, naming the row and the column that it lacks or adds
   */
  static fromRows<Row extends object>(rows: readonly Row[], columnNames?: readonly ColumnName<Row>[]): Dataset<Row> {
    const names: readonly string[] = columnNames ?? Object.keys(rows[0] ?? {});
    const columns = emptyColumns(names);
    rows.forEach((row, index) => {
      const own = Object.keys(row);
      const extra = own.find((name) => !columns.has(name));
      const missing = names.find((name) => !Object.hasOwn(row, name));
      if (extra !== undefined || missing !== undefined) {
        const fault =
          missing === undefined ? `has a column ${shown(extra)} of its own` : `lacks the column ${shown(missing)}`;
        throw new DataError(
          'UNEVEN_ROWS',
          `row ${index} ${fault}; every row has the columns ${listed(names)}`,
          missing ?? extra,
        );
      }
      for (const [name, values] of columns) values.push((row as Record<string, unknown>)[name]);
    });
    return new Dataset<Row>(columns, rows.length);
  }

  /** @throws DataError `UNEVEN_ROWS` when the columns differ in length */
  static fromColumns<Columns extends Record<string, readonly unknown[]>>(
    columns: Columns,
  ): Dataset<{ [Name in keyof Columns]: Columns[Name][number] }> {
    const copied = new Map(Object.entries(columns).map(([name, values]) => [name, [...values]]));
    const lengths = new Set([...copied.values()].map((values) => values.length));
    if (lengths.size > 1) {
      const sizes = [...copied].map(([name, values]) => `${name}: ${values.length}`).join(', ');
      throw new DataError('UNEVEN_ROWS', `columns must be equally long, got ${sizes}`);
    }
    return new Dataset(copied, [...lengths][0] ?? 0);
  }

  get columnNames(): string[] {
    return [...this.columns.keys()];
  }

  /** @throws DataError `ROW_OUT_OF_RANGE` */
  row(index: number): Row {
    if (!Number.isInteger(index) || index < 0 || index >= this.numRows) {
      throw new DataError(
        'ROW_OUT_OF_RANGE',
        `there is no row ${shown(index)}: the data set has ${this.numRows} rows, from 0`,
        index,
      );
    }
    return this.rowAt(index);
  }

  private rowAt(index: number): Row {
    return Object.fromEntries([...this.columns].map(([name, values]) => [name, values[index]])) as Row;
  }

  /** One column's values, in row order. @throws DataError `UNKNOWN_COLUMN` */
  column<Name extends ColumnName<Row>>(name: Name): readonly Row[Name][] {
    return this.values(name) as readonly Row[Name][];
  }

  private values(name: string): readonly unknown[] {
    const values = this.columns.get(name);
    if (values === undefined) {
      throw new DataError(
        'UNKNOWN_COLUMN',
        `there is no column ${shown(name)}; columns: ${listed(this.columnNames)}`,
        name,
      );
    }
    return values;
  }

  *[Symbol.iterator](): IterableIterator<Row> {
    for (let index = 0; index < this.numRows; index++) yield this.rowAt(index);
  }

  /**
   * A data set of what `transform` returns for each row. Its columns are exactly those of the returned rows: a column
   * that is to survive (the label!) has to be returned too, as in `({ label, text }) => ({ label, input_ids: ... })`.
   */
  map<Mapped extends object>(transform: (row: Row, index: number) => Mapped): Dataset<Mapped> {
    const rows: Mapped[] = [];
    for (const row of this) rows.push(transform(row, rows.length));
    return Dataset.fromRows(rows);
  }

  filter(keep: (row: Row, index: number) => boolean): Dataset<Row> {
    const kept: number[] = [];
    for (let index = 0; index < this.numRows; index++) if (keep(this.rowAt(index), index)) kept.push(index);
    return this.taking(kept);
  }

  /** The rows at `indices`, in that order; an index may repeat. @throws DataError `ROW_OUT_OF_RANGE` */
  select(indices: ArrayLike<number>): Dataset<Row> {
    const wrong = Array.from(indices).find((index) => !Number.isInteger(index) || index < 0 || index >= this.numRows);
    if (wrong !== undefined) this.row(wrong);
    return this.taking(indices);
  }

  private taking(indices: ArrayLike<number>): Dataset<Row> {
    const chosen = Array.from(indices);
    const columns = new Map([...this.columns].map(([name, values]) => [name, chosen.map((index) => values[index])]));
    return new Dataset<Row>(columns, chosen.length);
  }

  /** The rows in the order that Hugging Face's `Dataset.shuffle(seed)` gives. */
  shuffle(seed: number): Dataset<Row> {
    return this.taking(new SeededRandom(seed).permutation(this.numRows));
  }

  /** @throws DataError `UNKNOWN_COLUMN` */
  removeColumns<Name extends ColumnName<Row>>(...names: Name[]): Dataset<Omit<Row, Name>> {
    for (const name of names) this.values(name);
    const kept = [...this.columns].filter(([name]) => !names.includes(name as Name));
    return new Dataset<Omit<Row, Name>>(new Map(kept), this.numRows);
  }

  /** Renames a column, in its place. @throws DataError `UNKNOWN_COLUMN`, `DUPLICATE_COLUMN` */
  renameColumn<Old extends ColumnName<Row>, const New extends string>(
    oldName: Old,
    newName: New,
  ): Dataset<Renamed<Row, Old, New>> {
    this.values(oldName);
    if (this.columns.has(newName)) {
      throw new DataError(
        'DUPLICATE_COLUMN',
        `there is a column ${shown(newName)} already; columns: ${listed(this.columnNames)}`,
        newName,
      );
    }
    const columns = [...this.columns].map(([name, values]) => [name === oldName ? newName : name, values] as const);
    return new Dataset<Renamed<Row, Old, New>>(new Map(columns), this.numRows);
  }

  toRows(): Row[] {
    return [...this];
  }
}

type Renamed<Row, Old extends keyof Row, New extends string> = {
  [Name in keyof Row as Name extends Old ? New : Name]: Row[Name];
};

function emptyColumns(names: readonly string[]): Map<string, unknown[]> {
  const columns = new Map<string, unknown[]>(names.map((name) => [name, []]));
  if (columns.size < names.length) {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    throw new DataError(
      'DUPLICATE_COLUMN',
      `the column ${shown(twice)} is there twice; columns: ${listed(names)}`,
      twice,
    );
  }
  return columns;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => shown(name)).join(', ');
}
