import { HpoError } from '../errors';
import { type Database, type Query } from './database';

/** The part of pg that is used here. */
interface Client {
  query(config: {
    text: string;
    values?: readonly unknown[];
  }): Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>;
  release(error?: Error | boolean): void;
  on(event: 'error', listener: (error: Error) => void): void;
  off(event: 'error', listener: (error: Error) => void): void;
}
interface Pool {
  connect(): Promise<Client>;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): void;
}
interface Pg {
  Pool: new (options: object) => Pool;
  types: { getTypeParser(oid: number, format?: string): unknown };
}

const timestampOid = 1114;
const retries = 10;
/** How long a server that was there may be away, by default: it restarts in some seconds. */
const longPatienceMs = 30_000;
const longestSleepMs = 1000;
/** serialization_failure, deadlock_detected. */
const metAnother = new Set(['40001', '40P01']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether a server could not be reached, or ended the connection: codes of Node, classes 08 and 57P of PostgreSQL. */
function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOENT'].includes(code)) return true;
  return /^(08|57P0[123])/.test(code) || /connection terminated|timeout exceeded|not queryable/i.test(error.message);
}

/** What was lost with a connection that broke while a transaction was being made lasting: nobody knows. */
class LostCommit extends Error {}

/** `?` becomes $1, $2, ...; no statement here has a question mark in a text. */
function numbered(sql: string): string {
  let count = 0;
  return sql.replaceAll('?', () => `$${++count}`);
}

/**
 * A PostgreSQL server. A transaction whose connection is lost before its end is run again once the server is back; where it
 * is lost while it is being made lasting, the caller is told, since it may have been.
 */
export class PostgresqlDatabase implements Database {
  readonly dialect = 'postgresql';

  private constructor(
    readonly place: string,
    private readonly pool: Pool,
    private readonly patienceMs: number,
  ) {}

  /** Whether the server has ever answered: one that has not is more likely misspelled than restarting. */
  private reached = false;

  /**
   * @param url postgresql://USER:PASSWORD@HOST:PORT/DATABASE; a driver's name as Python has it (+psycopg2) is left out
   * @param patienceMs how long to wait for a server that was there and is away
   */
  static async open(url: string, patienceMs = longPatienceMs): Promise<PostgresqlDatabase> {
    const connectionString = url.replace(/^postgres(?:ql)?(?:\+\w+)?:/, 'postgresql:');
    let place: string;
    try {
      const parsed = new URL(connectionString);
      parsed.password = '';
      parsed.search = '';
      place = parsed.href;
    } catch (cause) {
      throw new HpoError('INVALID_ARGUMENT', 'the storage URL is no URL', { place: 'storage', cause });
    }
    let pg: Pg;
    try {
      pg = ((await import('pg')) as unknown as { default: Pg }).default;
    } catch (cause) {
      throw new HpoError('STORAGE_UNAVAILABLE', `${place} needs the package pg`, {
        place,
        cause,
        remedy: 'Run npm install pg',
      });
    }
    const types = {
      // A timestamp without a zone is UTC here; pg would take it for local time.
      getTypeParser: (oid: number, format?: string) =>
        oid === timestampOid ? (text: string) => text : pg.types.getTypeParser(oid, format),
    };
    const pool = new pg.Pool({ connectionString, max: 1, types, connectionTimeoutMillis: 10_000 });
    // A connection that breaks while it is idle; the next transaction opens another.
    pool.on('error', () => undefined);
    return new PostgresqlDatabase(place, pool, patienceMs);
  }

  async transaction<T>(writes: boolean, work: (query: Query) => Promise<T>): Promise<T> {
    const end = performance.now() + this.patienceMs;
    let sleepMs = 10;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(writes, work);
      } catch (cause) {
        if (HpoError.isInstance(cause)) throw cause;
        if (metAnother.has(codeOf(cause)) && attempt < retries) {
          await new Promise((resolve) => setTimeout(resolve, 2 ** attempt * (0.5 + Math.random())));
          continue;
        }
        if (this.reached && !(cause instanceof LostCommit) && isLost(cause) && performance.now() < end) {
          await new Promise((resolve) => setTimeout(resolve, sleepMs * (0.5 + Math.random())));
          sleepMs = Math.min(2 * sleepMs, longestSleepMs);
          continue;
        }
        throw new HpoError(
          'STORAGE_UNAVAILABLE',
          `${this.place}: ${cause instanceof Error ? cause.message : String(cause)}`,
          {
            place: this.place,
            cause,
            remedy:
              cause instanceof LostCommit
                ? 'The connection was lost in the middle, and it may have been stored: look, or call again'
                : 'Nothing of this call was stored: call again once the server can be reached',
          },
        );
      }
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async once<T>(writes: boolean, work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    // A connection that breaks also rejects the query under way; without a listener it would end the process.
    client.on('error', ignore);
    const query: Query = async (sql, values = []) => {
      const { rows, rowCount } = await client.query({ text: numbered(sql), values });
      return { rows, changes: rowCount ?? 0 };
    };
    try {
      await query(writes ? 'BEGIN' : 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      this.reached = true;
      const result = await work(query);
      try {
        await query('COMMIT');
      } catch (error) {
        throw writes && isLost(error) ? new LostCommit(String(error), { cause: error }) : error;
      }
      client.release();
      return result;
    } catch (error) {
      try {
        await query('ROLLBACK');
        client.release();
      } catch {
        // The connection is lost: not one to keep.
        client.release(true);
      }
      throw error;
    } finally {
      client.off('error', ignore);
    }
  }
}

const ignore = (): void => undefined;
