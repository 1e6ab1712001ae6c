import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { floatDistribution } from '../distribution/distribution';
import { startedTrial } from '../storage/storage';
import { createStudy, loadStudy } from '../study/create-study';
import { recordingLogger } from '../testing/logger';
import { type Database, type Query } from './database';
import { RdbStorage } from './rdb-storage';
import { SqliteDatabase } from './sqlite';

const folder = mkdtempSync(join(tmpdir(), 'hpo-rdb-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.db`);
const logger = recordingLogger();

/** The database behind a storage. */
const databaseOf = (storage: RdbStorage) => (storage as unknown as { database: Database }).database;

/** Runs statements on a file, as another program does. */
async function on<T>(path: string, work: (query: Query) => Promise<T>): Promise<T> {
  const database = await SqliteDatabase.open(path);
  try {
    return await database.transaction(true, work);
  } finally {
    await database.close();
  }
}

describe('a database that is not what it should be', () => {
  it.each([
    ['v9.9.9.a', 'NEWER_SCHEMA', /use a newer version of this package/],
    ['v2.6.0.a', 'UNSUPPORTED', /optuna storage upgrade/],
  ])('of revision %s is refused with what to do', async (revision, code, remedy) => {
    const path = newPath();
    await (await RdbStorage.open(`sqlite:///${path}`)).close();
    await on(path, (query) => query('UPDATE alembic_version SET version_num = ?', [revision]));
    const opened = RdbStorage.open(`sqlite:///${path}`);
    await expect(opened).rejects.toMatchObject({
      code,
      value: revision,
      remedy: expect.stringMatching(remedy) as string,
    });
  });

  it('is no database at all', async () => {
    const path = newPath();
    writeFileSync(path, 'op_code, worker_id and so on, which is a journal'.repeat(100));
    await expect(RdbStorage.open(`sqlite:///${path}`)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it('lies where nothing can be', async () => {
    const opened = RdbStorage.open(`sqlite:///${join(folder, 'no', 'folder', 'x.db')}`);
    await expect(opened).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  it.each(['mysql://root:hidden@host/db', 'redis://host', 'x'])(
    'is named by %s, whose password is not shown',
    async (url) => {
      const error = await RdbStorage.open(url).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(String(error)).not.toContain('hidden');
    },
  );

  it.each([
    ['a choice that there is none of', "UPDATE trial_params SET param_value = 7 WHERE param_name = 'c'"],
    ['attributes that are no JSON', "UPDATE trial_user_attributes SET value_json = '{' "],
    ['a state that there is none of', "UPDATE trials SET state = 'LOST'"],
    ['a hole in the numbers', 'UPDATE trials SET number = 5 WHERE number = 1'],
  ])('holds %s', async (_name, sql) => {
    const path = newPath();
    const storage = await RdbStorage.open(`sqlite:///${path}`);
    const study = await createStudy({ storage, logger });
    await study.optimize(
      (trial) => {
        trial.setUserAttr('note', 'x');
        return trial.suggestCategorical('c', [1, 2]);
      },
      { nTrials: 3 },
    );
    await storage.close();
    await on(path, (query) => query(sql));
    const opened = await RdbStorage.open(`sqlite:///${path}`);
    await expect(loadStudy({ storage: opened, logger })).rejects.toMatchObject({ code: 'CORRUPT_STORAGE' });
  });
});

describe('a database that is locked', () => {
  it('is waited for, and then said to be; what was said of a trial is stored once the lock is gone', async () => {
    const path = newPath();
    const storage = await RdbStorage.open(`sqlite:///${path}`, { patienceMs: 60 });
    const study = await createStudy({ storage, logger });
    const trial = await study.ask();
    trial.suggestFloat('x', 0, 1);
    await storage.refresh();
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 5);
    await on(path, async () => {
      trial.report(0.5, 1);
      await expect(study.tell(trial, 1)).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
        remedy: expect.stringMatching(/keeps the database locked/) as string,
      });
    });
    clearInterval(ticking);
    // Waiting leaves the event loop free.
    expect(ticks).toBeGreaterThan(2);
    expect(study.trials[0]!.state).toBe('RUNNING');
    expect(await study.tell(trial, 1)).toMatchObject({ state: 'COMPLETE', value: 1 });
    await storage.close();
    const again = await loadStudy({ storage: await RdbStorage.open(`sqlite:///${path}`), logger });
    expect([...again.trials[0]!.intermediateValues]).toEqual([[1, 0.5]]);
  });
});

describe('a full disk', () => {
  it('stores nothing of a call and says so, and all of it once there is room', async () => {
    const storage = await RdbStorage.open(`sqlite:///${newPath()}`);
    const study = await createStudy({ storage, logger });
    const trial = await study.ask();
    const database = databaseOf(storage);
    const pages = await database.transaction(false, (query) => query('PRAGMA page_count'));
    const limit = async (count: number) =>
      database.transaction(false, (query) => query(`PRAGMA max_page_count = ${count}`));
    await limit(Number(Object.values(pages.rows[0]!)[0]));
    trial.setUserAttr('long', 'x'.repeat(200_000));
    await expect(study.tell(trial, 1)).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      remedy: expect.stringMatching(/Nothing of this call was stored/) as string,
    });
    await limit(1_000_000);
    expect(await study.tell(trial, 1)).toMatchObject({ state: 'COMPLETE' });
    expect(study.trials[0]!.userAttrs['long']).toHaveLength(200_000);
  });
});

describe('a connection that is lost in the middle of tell', () => {
  /** Loses the next writing transaction's answer: before it is committed, or after. */
  function losing(database: Database, when: 'before' | 'after'): void {
    const original = database.transaction.bind(database);
    database.transaction = async <T>(writes: boolean, work: (query: Query) => Promise<T>): Promise<T> => {
      if (!writes) return original(writes, work);
      database.transaction = original;
      if (when === 'after') await original(writes, work);
      throw new Error('Connection terminated unexpectedly');
    };
  }

  it.each(['before', 'after'] as const)('is told again, where the answer was lost %s it was stored', async (when) => {
    const storage = await RdbStorage.open(`sqlite:///${newPath()}`);
    const study = await createStudy({ storage, logger });
    const trial = await study.ask();
    trial.suggestFloat('x', 0, 1);
    await storage.refresh();
    losing(databaseOf(storage), when);
    await expect(study.tell(trial, 1)).rejects.toThrow(/Connection terminated/);
    // Whoever calls again need not know which it was.
    const ended = await study.tell(trial, 1, { skipIfFinished: true });
    expect(ended).toMatchObject({ state: 'COMPLETE', value: 1 });
    await storage.refresh();
    expect(study.trials).toHaveLength(1);
  });
});

it('refuses a distribution that contradicts one another worker has stored, and the study goes on', async () => {
  const url = `sqlite:///${newPath()}`;
  const [one, other] = [await RdbStorage.open(url), await RdbStorage.open(url)];
  const first = await createStudy({ studyName: 's', storage: one, logger });
  const second = await createStudy({ studyName: 's', storage: other, loadIfExists: true, logger });
  const [mine, theirs] = [await first.ask(), await second.ask()];
  mine.suggestFloat('x', 0, 1);
  await one.refresh();
  // Not known here yet: the store says so, and the next call on the trial throws it.
  theirs.suggest('x', floatDistribution({ low: 1, high: 9, log: true }));
  await other.refresh();
  expect(() => theirs.report(1, 0)).toThrow(/changed its log/);
  await second.tell(theirs, undefined, { state: 'FAIL' });
  await first.tell(mine, 1);
  await second.refresh();
  expect(second.trials.map(({ state }) => state)).toEqual(['COMPLETE', 'FAIL']);
});

it('tells running trials that have never had a heartbeat, and began before the grace period', async () => {
  const path = newPath();
  const storage = await RdbStorage.open(`sqlite:///${path}`, { heartbeat: { intervalMs: 1000, graceMs: 10_000 } });
  const study = await createStudy({ storage, logger });
  await study.ask();
  const silent = await RdbStorage.open(`sqlite:///${path}`);
  const began = (secondsAgo: number) => ({
    ...startedTrial(),
    datetimeStart: new Date(Date.now() - 1000 * secondsAgo),
  });
  for (const secondsAgo of [11, 1]) await silent.createTrial(study.id, began(secondsAgo));
  expect((await storage.getUnheardTrials(study.id)).map(({ number }) => number)).toEqual([1]);
  await Promise.all([storage.close(), silent.close()]);
});
