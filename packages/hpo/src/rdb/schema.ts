import { HpoError, shown } from '../errors';
import { type Database, type Query } from './database';

/** The revisions whose tables this package reads and writes. Source: optuna.storages._rdb.alembic.versions. */
const knownRevisions = ['v3.0.0.d', 'v3.2.0.a'];
const olderRevisions = ['v0.9.0.a', 'v1.2.0.a', 'v1.3.0.a', 'v2.4.0.a', 'v2.6.0.a', 'v3.0.0.a', 'v3.0.0.b', 'v3.0.0.c'];
/** What is written into a new database: the tables are those of Optuna 3.2 to 5.0. */
const newest = { revision: 'v3.2.0.a', schemaVersion: 12, libraryVersion: '5.0.0' };

/** Attributes of a study or a trial. */
function attributesTable(owner: 'study' | 'trial', kind: 'user' | 'system'): string {
  const owners = owner === 'study' ? 'studies' : 'trials';
  return `CREATE TABLE ${owner}_${kind}_attributes (
    ${owner}_${kind}_attribute_id KEY, ${owner}_id INTEGER REFERENCES ${owners} (${owner}_id), key VARCHAR(512),
    value_json TEXT, UNIQUE (${owner}_id, key))`;
}

/** KEY, ENUM and DATETIME stand for what the dialects call differently. Source: optuna.storages._rdb.models. */
const tables = [
  'CREATE TABLE studies (study_id KEY, study_name VARCHAR(512) NOT NULL)',
  'CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)',
  `CREATE TABLE version_info (version_info_id INTEGER NOT NULL PRIMARY KEY CHECK (version_info_id = 1),
    schema_version INTEGER, library_version VARCHAR(256))`,
  `CREATE TABLE study_directions (study_direction_id KEY, direction ENUM(studydirection) NOT NULL,
    study_id INTEGER NOT NULL REFERENCES studies (study_id), objective INTEGER NOT NULL, UNIQUE (study_id, objective))`,
  attributesTable('study', 'user'),
  attributesTable('study', 'system'),
  `CREATE TABLE trials (trial_id KEY, number INTEGER, study_id INTEGER REFERENCES studies (study_id),
    state ENUM(trialstate) NOT NULL, datetime_start DATETIME, datetime_complete DATETIME)`,
  'CREATE INDEX ix_trials_study_id ON trials (study_id)',
  attributesTable('trial', 'user'),
  attributesTable('trial', 'system'),
  `CREATE TABLE trial_params (param_id KEY, trial_id INTEGER REFERENCES trials (trial_id), param_name VARCHAR(512),
    param_value DOUBLE PRECISION, distribution_json TEXT, UNIQUE (trial_id, param_name))`,
  `CREATE TABLE trial_values (trial_value_id KEY, trial_id INTEGER NOT NULL REFERENCES trials (trial_id),
    objective INTEGER NOT NULL, value DOUBLE PRECISION, value_type ENUM(trialvaluetype) NOT NULL,
    UNIQUE (trial_id, objective))`,
  `CREATE TABLE trial_intermediate_values (trial_intermediate_value_id KEY,
    trial_id INTEGER NOT NULL REFERENCES trials (trial_id), step INTEGER NOT NULL, intermediate_value DOUBLE PRECISION,
    intermediate_value_type ENUM(trialintermediatevaluetype) NOT NULL, UNIQUE (trial_id, step))`,
  `CREATE TABLE trial_heartbeats (trial_heartbeat_id KEY, trial_id INTEGER NOT NULL UNIQUE REFERENCES trials (trial_id),
    heartbeat DATETIME NOT NULL)`,
  'CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL CONSTRAINT alembic_version_pkc PRIMARY KEY)',
];

const enums: Readonly<Record<string, readonly string[]>> = {
  studydirection: ['NOT_SET', 'MINIMIZE', 'MAXIMIZE'],
  trialstate: ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'],
  trialvaluetype: ['FINITE', 'INF_POS', 'INF_NEG'],
  trialintermediatevaluetype: ['FINITE', 'INF_POS', 'INF_NEG', 'NAN'],
};

/** Lengths of the texts, as SQLAlchemy declares them in SQLite. */
function inSqlite(sql: string): string {
  return sql
    .replaceAll(/\bKEY,/g, 'INTEGER NOT NULL PRIMARY KEY,')
    .replaceAll(/ENUM\((\w+)\)/g, (_, name: string) => `VARCHAR(${Math.max(...enums[name]!.map((it) => it.length))})`)
    .replaceAll('DOUBLE PRECISION', 'FLOAT')
    .replaceAll(/\bkey\b/g, '"key"');
}

function inPostgresql(sql: string): string {
  return sql
    .replaceAll(/\bKEY,/g, 'SERIAL NOT NULL PRIMARY KEY,')
    .replaceAll(/ENUM\((\w+)\)/g, '$1')
    .replaceAll(/\bDATETIME\b/g, 'TIMESTAMP WITHOUT TIME ZONE');
}

async function hasTable(database: Database, query: Query, name: string): Promise<boolean> {
  const sql =
    database.dialect === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?"
      : 'SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?';
  return (await query(sql, [name])).rows.length > 0;
}

async function makeTables({ dialect }: Database, query: Query): Promise<void> {
  if (dialect === 'postgresql') {
    for (const [name, values] of Object.entries(enums)) {
      await query(`CREATE TYPE ${name} AS ENUM (${values.map((value) => `'${value}'`).join(', ')})`);
    }
  }
  for (const table of tables) await query(dialect === 'sqlite' ? inSqlite(table) : inPostgresql(table));
  const { revision, schemaVersion, libraryVersion } = newest;
  await query('INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES (1, ?, ?)', [
    schemaVersion,
    libraryVersion,
  ]);
  await query('INSERT INTO alembic_version (version_num) VALUES (?)', [revision]);
}

/** Any number that no other program is likely to lock. */
const makingTables = 0x686_706f;

/**
 * Makes Optuna's tables where there are none, and checks their revision. Throws HpoError `NEWER_SCHEMA` for a revision
 * that this package does not know, `UNSUPPORTED` for one that Optuna's own upgrade must bring up to date.
 */
export async function openSchema(database: Database): Promise<void> {
  const { place } = database;
  const revision = await database.transaction(true, async (query) => {
    if (database.dialect === 'postgresql') await query('SELECT pg_advisory_xact_lock(?)', [makingTables]);
    if (!(await hasTable(database, query, 'studies'))) await makeTables(database, query);
    if (!(await hasTable(database, query, 'alembic_version'))) return undefined;
    return (await query('SELECT version_num FROM alembic_version')).rows[0]?.['version_num'];
  });
  if (knownRevisions.includes(revision as string)) return;
  if (revision === undefined || olderRevisions.includes(revision as string)) {
    throw new HpoError('UNSUPPORTED', `${place} has tables of an Optuna before 3.0 (${shown(revision)})`, {
      place,
      value: revision,
      remedy: 'Bring them up to date: optuna storage upgrade --storage URL',
    });
  }
  throw new HpoError(
    'NEWER_SCHEMA',
    `${place} has tables of revision ${shown(revision)}; known are ${knownRevisions.join(' and ')}`,
    {
      place,
      value: revision,
      remedy: 'A newer Optuna made them: use a newer version of this package',
    },
  );
}
