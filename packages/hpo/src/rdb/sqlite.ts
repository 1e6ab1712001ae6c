import { HpoError } from '../errors';
import { type Database, type Query, type SqlResult } from './database';

/** The part of libsql's synchronous interface that is used here. */
interface Statement {
  readonly reader: boolean;
  all(...values: unknown[]): Record<string, unknown>[];
  run(...values: unknown[]): { changes: number };
}
interface Connection {
  prepare(sql: string): Statement;
  exec(sql: string): void;
  close(): void;
}

/** How long to wait for other workers' transactions before giving up, by default; each takes some milliseconds. */
const longPatienceMs = 30_000;
const longestSleepMs = 50;

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    /SQLITE_BUSY|database is locked|database table is locked/.test(`${codeOf(error)} ${error.message}`)
  );
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

/**
 * A SQLite file, in WAL mode, so that reading and writing workers do not wait for each other. Writing transactions
 * begin IMMEDIATE: the lock is taken before anything is read. Waiting for it leaves the event loop free.
 */
export class SqliteDatabase implements Database {
  readonly dialect = 'sqlite';
  private readonly statements = new Map<string, Statement>();

  private constructor(
    readonly place: string,
    private readonly connection: Connection,
    private readonly patienceMs: number,
  ) {}

  /**
   * @param path a file, or `:memory:`
   * @param patienceMs how long to wait for another program's lock
   */
  static async open(path: string, patienceMs = longPatienceMs): Promise<SqliteDatabase> {
    const place = `sqlite:///${path}`;
    let Libsql: new (path: string) => Connection;
    try {
      Libsql = ((await import('libsql')) as unknown as { default: typeof Libsql }).default;
    } catch (cause) {
      throw new HpoError('STORAGE_UNAVAILABLE', `${place} needs the package libsql`, {
        place,
        cause,
        remedy: 'Run npm install libsql',
      });
    }
    let connection: Connection | undefined;
    try {
      connection = new Libsql(path);
      const database = new SqliteDatabase(place, connection, patienceMs);
      await database.patiently(async () => {
        connection!.exec('PRAGMA journal_mode=WAL');
        connection!.exec('PRAGMA synchronous=NORMAL');
        connection!.exec('PRAGMA foreign_keys=OFF');
      });
      return database;
    } catch (cause) {
      connection?.close();
      throw unavailable(place, cause);
    }
  }

  async transaction<T>(writes: boolean, work: (query: Query) => Promise<T>): Promise<T> {
    const query: Query = async (sql, values = []) => this.run(sql, values);
    try {
      return await this.patiently(async () => {
        this.connection.exec(writes ? 'BEGIN IMMEDIATE' : 'BEGIN');
        try {
          const result = await work(query);
          this.connection.exec('COMMIT');
          return result;
        } catch (error) {
          this.rollBack();
          throw error;
        }
      });
    } catch (cause) {
      if (HpoError.isInstance(cause)) throw cause;
      throw unavailable(this.place, cause);
    }
  }

  async close(): Promise<void> {
    this.statements.clear();
    this.connection.close();
  }

  private run(sql: string, values: readonly unknown[]): SqlResult {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.connection.prepare(sql);
      this.statements.set(sql, statement);
    }
    if (statement.reader) {
      const rows = statement.all(...values);
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: statement.run(...values).changes };
  }

  /** A full disk rolls back by itself; then there is nothing to roll back. */
  private rollBack(): void {
    try {
      this.connection.exec('ROLLBACK');
    } catch {
      return;
    }
  }

  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    const end = performance.now() + this.patienceMs;
    for (let sleepMs = 1; ; sleepMs = Math.min(2 * sleepMs, longestSleepMs)) {
      try {
        return await work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, sleepMs * (0.5 + Math.random())));
    }
  }
}

function unavailable(place: string, cause: unknown): HpoError {
  return new HpoError('STORAGE_UNAVAILABLE', `${place}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    place,
    cause,
    remedy: isBusy(cause)
      ? 'Another program keeps the database locked: end it, then call again'
      : 'Nothing of this call was stored: call again once the cause is gone',
  });
}
