import { checkOptions } from '../check-options';
import { HpoError, shown } from '../errors';
import { Ledger } from '../storage/ledger';
import { type Operation } from '../storage/operation';
import { type HeartbeatOptions, type Outcome, ReplicaStorage } from '../storage/replica-storage';
import { type Database } from './database';
import { readStaleTrials, readUnheardTrials, readStudies, readTrials } from './read';
import { PostgresqlDatabase } from './postgresql';
import { openSchema } from './schema';
import { SqliteDatabase } from './sqlite';
import { beat, writeOperation } from './write';

/** Options of `RdbStorage.open`. */
export interface RdbStorageOptions {
  /** Has workers say that they live, so that others can tell a dead one's trials. Left out: no heartbeats. */
  heartbeat?: HeartbeatOptions;
  /** How long to wait for a SQLite file that another program has locked, or a server that is restarted. Default: 30,000. */
  patienceMs?: number;
}

async function openDatabase(url: string, patienceMs: number | undefined): Promise<Database> {
  const sqlite = /^sqlite:\/\/\/(.+)$/.exec(url);
  if (sqlite !== null) return SqliteDatabase.open(sqlite[1]!, patienceMs);
  if (/^postgres(ql)?(\+\w+)?:\/\//.test(url)) return PostgresqlDatabase.open(url, patienceMs);
  // No more of the URL than its kind: it may hold a password.
  throw new HpoError('INVALID_ARGUMENT', `a storage URL can't begin with ${shown(url.split(':')[0])}`, {
    place: 'storage',
    remedy: 'Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE',
  });
}

/**
 * Studies in a relational database with Optuna's own tables, shared by any number of workers in TypeScript and Python,
 * and shown by optuna-dashboard. Source: optuna.storages.RDBStorage.
 */
export class RdbStorage extends ReplicaStorage {
  protected override readonly ledger = new Ledger();
  /** Studies whose trials are wanted, with the id of the last trial that was read. */
  private readonly watched = new Map<number, number>();

  private constructor(
    private readonly database: Database,
    heartbeat: HeartbeatOptions | undefined,
  ) {
    super(heartbeat);
  }

  /**
   * Opens a database, and makes the tables where there are none. Throws HpoError `STORAGE_UNAVAILABLE`,
   * `NEWER_SCHEMA`, `UNSUPPORTED`, `INVALID_ARGUMENT`.
   * @param url sqlite:///FILE (as SQLAlchemy: three slashes and a path) or postgresql://USER:PASSWORD@HOST:PORT/DATABASE
   */
  static async open(url: string, options: RdbStorageOptions = {}): Promise<RdbStorage> {
    checkOptions('RdbStorage.open', options, ['heartbeat', 'patienceMs']);
    const database = await openDatabase(url, options.patienceMs);
    try {
      await openSchema(database);
      const storage = new RdbStorage(database, options.heartbeat);
      await storage.refresh();
      return storage;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** Sends what is still on its way, and ends the connection. */
  async close(): Promise<void> {
    await this.refresh();
    await this.database.close();
  }

  override async watch(studyId: number): Promise<void> {
    this.getStudy(studyId);
    if (!this.watched.has(studyId)) this.watched.set(studyId, 0);
    await this.refresh();
  }

  override async recordHeartbeat(trialId: number): Promise<void> {
    await this.database.transaction(true, (query) => beat(query, trialId));
  }

  protected override findStale(studyId: number, graceMs: number): Promise<readonly number[]> {
    const { database } = this;
    return database.transaction(false, (query) =>
      readStaleTrials(query, { dialect: database.dialect, studyId, graceMs }),
    );
  }

  protected override findUnheard(studyId: number): Promise<readonly number[]> {
    return this.database.transaction(false, (query) => readUnheardTrials(query, studyId));
  }

  protected override async exchange(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    const outcomes = operations.length === 0 ? [] : await this.write(operations);
    for (const [i, operation] of operations.entries()) {
      const outcome = outcomes[i]!;
      if (operation.kind === 'create-study' && 'result' in outcome) this.watched.set(outcome.result!, 0);
    }
    await this.pull();
    return outcomes;
  }

  private write(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    const { database, ledger } = this;
    return database.transaction(true, async (query) => {
      const context = { query, dialect: database.dialect, ledger, heartbeats: this.heartbeat !== undefined };
      const outcomes: Outcome[] = [];
      for (const operation of operations) {
        try {
          outcomes.push({ result: await writeOperation(context, operation) });
        } catch (error) {
          // What this package refuses has changed nothing; what the database refuses ends the transaction.
          if (!HpoError.isInstance(error)) throw error;
          outcomes.push({ error });
        }
      }
      return outcomes;
    });
  }

  private async pull(): Promise<void> {
    const { ledger, watched } = this;
    const { studies, trials } = await this.database.transaction(false, async (query) => {
      const found = await readStudies(query);
      const ids = new Set(found.map(({ id }) => id));
      const read = [];
      for (const [studyId, after] of watched) {
        if (!ids.has(studyId)) continue;
        const open = after === 0 ? [] : ledger.trials(studyId, ['RUNNING', 'WAITING']).map(({ id }) => id);
        read.push([studyId, await readTrials(query, { studyId, after, ids: open })] as const);
      }
      return { studies: found, trials: read };
    });
    const ids = new Set(studies.map(({ id }) => id));
    for (const { id } of ledger.studies()) {
      if (ids.has(id)) continue;
      ledger.dropStudy(id);
      watched.delete(id);
    }
    for (const study of studies) ledger.putStudy(study);
    for (const [studyId, its] of trials) {
      for (const trial of its) ledger.putTrial(studyId, trial);
      watched.set(studyId, Math.max(watched.get(studyId)!, ...its.slice(-1).map(({ id }) => id)));
    }
  }
}
