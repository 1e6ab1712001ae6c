/** What a statement gave. */
export interface SqlResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** Rows that were changed. */
  readonly changes: number;
}

/** Runs one statement, with `?` where values go. */
export type Query = (sql: string, values?: readonly unknown[]) => Promise<SqlResult>;

/** A relational database. */
export interface Database {
  readonly dialect: 'sqlite' | 'postgresql';
  /** What errors call it: a URL without its password. */
  readonly place: string;
  /**
   * Runs work in one transaction: all of it becomes lasting, or nothing. Work that met another worker's is run again.
   * Rejects with HpoError `STORAGE_UNAVAILABLE`.
   */
  transaction<T>(writes: boolean, work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
