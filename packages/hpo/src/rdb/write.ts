import { checkCompatible, type Distribution, toInternal } from '../distribution/distribution';
import { distributionFromJson, distributionToJson } from '../distribution/json';
import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { pythonJson } from '../python-json';
import { type Ledger } from '../storage/ledger';
import { type Operation } from '../storage/operation';
import { retryHistoryKey, type TrialTemplate } from '../storage/storage';
import { unreadableParam } from '../trial/frozen-trial';
import { type Database, type Query } from './database';
import { storedNumber, storedTime } from './values';

/** What writing needs besides an operation. */
export interface WriteContext {
  query: Query;
  dialect: Database['dialect'];
  /** What is known: a name that it knows needs no look into the database. */
  ledger: Ledger;
  /** Whether a trial that starts gets a heartbeat at once. */
  heartbeats: boolean;
}

/** Longest text in a column that has an index. Source: optuna.storages._rdb.models.MAX_INDEXED_STRING_LENGTH. */
const longestName = 512;
const isOpen = "trial_id = ? AND state IN ('RUNNING', 'WAITING')";

function checkName(what: string, name: string): void {
  if (name.length <= longestName && !name.includes('\0')) return;
  throw new HpoError(
    'INVALID_VALUE',
    `${what} ${shown(name)} must have ${longestName} characters at most, and none of them NUL`,
    {
      place: what,
      value: name,
    },
  );
}

function duplicated(name: string): HpoError {
  return new HpoError('DUPLICATED_STUDY', `the storage already has a study named ${shown(name)}`, {
    place: name,
    value: name,
    remedy: 'Choose another name, or set loadIfExists',
  });
}

async function requireStudy({ query, dialect }: WriteContext, studyId: number): Promise<void> {
  // Where rows are locked, a study's row keeps those apart who number its trials.
  const sql = `SELECT study_id FROM studies WHERE study_id = ?${dialect === 'postgresql' ? ' FOR UPDATE' : ''}`;
  if ((await query(sql, [studyId])).rows.length > 0) return;
  throw new HpoError('UNKNOWN_STUDY', `the storage has no study with id ${shown(studyId)}`, { value: studyId });
}

/** Says why a change of a trial changed nothing. */
async function refuse({ query }: WriteContext, trialId: number): Promise<never> {
  const [trial] = (await query('SELECT number, state FROM trials WHERE trial_id = ?', [trialId])).rows;
  if (trial === undefined) {
    throw new HpoError('UNKNOWN_TRIAL', `the storage has no trial with id ${shown(trialId)}`, { value: trialId });
  }
  const { number, state } = trial as { number: number; state: string };
  throw new HpoError('FINISHED_TRIAL', `trial ${number} has already ended (${state}) and can't be changed any more`, {
    value: number,
  });
}

/** Inserts a row of a trial that has not ended, or changes the one with the same key. */
async function upsert(
  context: WriteContext,
  {
    table,
    key,
    trialId,
    columns,
  }: { table: string; key: string; trialId: number; columns: Record<string, [value: unknown, type: string]> },
): Promise<void> {
  const names = Object.keys(columns);
  const casts = Object.values(columns).map(([, type]) => `CAST(? AS ${type})`);
  const changed = names.filter((name) => name !== key).map((name) => `${name} = excluded.${name}`);
  const { changes } = await context.query(
    `INSERT INTO ${table} (trial_id, ${names.join(', ')})
     SELECT trial_id, ${casts.join(', ')} FROM trials WHERE ${isOpen}
     ON CONFLICT (trial_id, ${key}) DO UPDATE SET ${changed.join(', ')}`,
    [...Object.values(columns).map(([value]) => value), trialId],
  );
  if (changes === 0) await refuse(context, trialId);
}

async function setParam(
  context: WriteContext,
  {
    trialId,
    name,
    internal,
    distribution,
  }: { trialId: number; name: string; internal: number; distribution: Distribution },
): Promise<void> {
  checkName('parameter', name);
  if (!context.ledger.knowsParam(trialId, name)) {
    const [before] = (
      await context.query(
        `SELECT distribution_json FROM trial_params JOIN trials USING (trial_id) WHERE param_name = ?
         AND study_id = (SELECT study_id FROM trials WHERE trial_id = ?) LIMIT 1`,
        [name, trialId],
      )
    ).rows;
    if (before !== undefined) {
      checkCompatible({ name, before: distributionFromJson(String(before['distribution_json'])), now: distribution });
    }
  }
  const columns = {
    param_name: [name, 'VARCHAR(512)'],
    param_value: [internal, 'DOUBLE PRECISION'],
    distribution_json: [distributionToJson(distribution), 'TEXT'],
  } satisfies Record<string, [unknown, string]>;
  await upsert(context, { table: 'trial_params', key: 'param_name', trialId, columns });
}

async function setAttr(
  context: WriteContext,
  { kind, trialId, key, value }: { kind: 'user' | 'system'; trialId: number; key: string; value: JsonValue },
): Promise<void> {
  checkName('attribute', key);
  const columns = { key: [key, 'VARCHAR(512)'], value_json: [pythonJson(value), 'TEXT'] } satisfies Record<
    string,
    [unknown, string]
  >;
  await upsert(context, { table: `trial_${kind}_attributes`, key: 'key', trialId, columns });
}

async function setIntermediate(context: WriteContext, trialId: number, step: number, value: number): Promise<void> {
  const [stored, kind] = storedNumber(value);
  const type = context.dialect === 'postgresql' ? 'trialintermediatevaluetype' : 'VARCHAR(7)';
  const columns = {
    step: [step, 'INTEGER'],
    intermediate_value: [stored, 'DOUBLE PRECISION'],
    intermediate_value_type: [kind, type],
  } satisfies Record<string, [unknown, string]>;
  await upsert(context, { table: 'trial_intermediate_values', key: 'step', trialId, columns });
}

async function setValues({ query }: WriteContext, trialId: number, values: readonly number[]): Promise<void> {
  for (const [objective, value] of values.entries()) {
    const [stored, kind] = storedNumber(value);
    await query('INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, ?, ?, ?)', [
      trialId,
      objective,
      stored,
      kind,
    ]);
  }
}

/** Says that a trial's worker lives, by the database's own clock. */
export async function beat(query: Query, trialId: number): Promise<void> {
  await query(
    `INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES (?, CURRENT_TIMESTAMP)
     ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat`,
    [trialId],
  );
}

async function hasRoom({ query }: WriteContext, studyId: number, atMost: number): Promise<boolean> {
  const { rows } = await query(
    `SELECT trial_id FROM trials WHERE study_id = ? AND NOT EXISTS (SELECT 1 FROM trial_system_attributes
     WHERE trial_system_attributes.trial_id = trials.trial_id AND key = ?) LIMIT ?`,
    [studyId, retryHistoryKey, atMost],
  );
  return rows.length < atMost;
}

async function createTrial(context: WriteContext, studyId: number, template: TrialTemplate): Promise<number> {
  for (const [name, problem] of Object.entries(template.unreadableParams)) throw unreadableParam(name, problem);
  const { query } = context;
  const [last] = (await query('SELECT number FROM trials WHERE study_id = ? ORDER BY trial_id DESC LIMIT 1', [studyId]))
    .rows;
  const number = last === undefined ? 0 : (last['number'] as number) + 1;
  const [made] = (
    await query(
      `INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete)
       VALUES (?, ?, 'RUNNING', ?, ?) RETURNING trial_id`,
      [number, studyId, storedTime(template.datetimeStart), storedTime(template.datetimeComplete)],
    )
  ).rows;
  const trialId = made!['trial_id'] as number;
  await setValues(context, trialId, template.values ?? []);
  for (const [name, distribution] of Object.entries(template.distributions)) {
    const internal = toInternal(distribution, template.params[name], name);
    await setParam(context, { trialId, name, internal, distribution });
  }
  for (const [key, value] of Object.entries(template.userAttrs))
    await setAttr(context, { kind: 'user', trialId, key, value });
  for (const [key, value] of Object.entries(template.systemAttrs))
    await setAttr(context, { kind: 'system', trialId, key, value });
  for (const [step, value] of template.intermediateValues) await setIntermediate(context, trialId, step, value);
  if (template.state !== 'RUNNING')
    await query('UPDATE trials SET state = ? WHERE trial_id = ?', [template.state, trialId]);
  else if (context.heartbeats) await beat(query, trialId);
  return trialId;
}

async function deleteStudy(context: WriteContext, studyId: number): Promise<void> {
  await requireStudy(context, studyId);
  const ofTrials = ['params', 'values', 'intermediate_values', 'user_attributes', 'system_attributes', 'heartbeats'];
  for (const table of ofTrials) {
    await context.query(
      `DELETE FROM trial_${table} WHERE trial_id IN (SELECT trial_id FROM trials WHERE study_id = ?)`,
      [studyId],
    );
  }
  for (const table of ['trials', 'study_directions', 'study_user_attributes', 'study_system_attributes', 'studies']) {
    await context.query(`DELETE FROM ${table} WHERE study_id = ?`, [studyId]);
  }
}

async function finishTrial(context: WriteContext, operation: Operation & { kind: 'finish-trial' }): Promise<void> {
  const { query } = context;
  const { trialId, state, values = [], retry } = operation;
  // Compare and set: of two workers that end a trial, one does.
  const { changes } = await query(`UPDATE trials SET state = ?, datetime_complete = ? WHERE ${isOpen}`, [
    state,
    storedTime(operation.datetimeComplete),
    trialId,
  ]);
  if (changes === 0) await refuse(context, trialId);
  await setValues(context, trialId, values);
  if (retry !== undefined) {
    const [{ study_id: studyId }] = (await query('SELECT study_id FROM trials WHERE trial_id = ?', [trialId])).rows as [
      { study_id: number },
    ];
    await requireStudy(context, studyId);
    await createTrial(context, studyId, retry);
  }
}

/** Stores one operation; returns the id of the study or trial that was made or started. Throws what the ledger would. */
export async function writeOperation(context: WriteContext, operation: Operation): Promise<number | undefined> {
  const { query } = context;
  switch (operation.kind) {
    case 'create-study': {
      const { name, directions } = operation;
      checkName('study name', name);
      const [made] = (
        await query(
          'INSERT INTO studies (study_name) VALUES (?) ON CONFLICT (study_name) DO NOTHING RETURNING study_id',
          [name],
        )
      ).rows;
      if (made === undefined) throw duplicated(name);
      for (const [objective, direction] of directions.entries()) {
        await query('INSERT INTO study_directions (direction, study_id, objective) VALUES (?, ?, ?)', [
          direction.toUpperCase(),
          made['study_id'],
          objective,
        ]);
      }
      return made['study_id'] as number;
    }
    case 'delete-study':
      await deleteStudy(context, operation.studyId);
      return undefined;
    case 'set-study-user-attr':
    case 'set-study-system-attr': {
      const { studyId, key, value } = operation;
      checkName('attribute', key);
      await requireStudy(context, studyId);
      await query(
        `INSERT INTO study_${operation.kind === 'set-study-user-attr' ? 'user' : 'system'}_attributes (study_id, key, value_json)
         VALUES (?, ?, ?) ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json`,
        [studyId, key, pythonJson(value)],
      );
      return undefined;
    }
    case 'create-trial': {
      const { studyId, template, atMost } = operation;
      await requireStudy(context, studyId);
      if (atMost !== undefined && !(await hasRoom(context, studyId, atMost))) return undefined;
      return createTrial(context, studyId, template);
    }
    case 'set-param': {
      const { trialId, name, internalValue: internal, distribution } = operation;
      await setParam(context, { trialId, name, internal, distribution });
      return undefined;
    }
    case 'set-unreadable-param':
      throw unreadableParam(operation.name, operation.problem);
    case 'start-trial': {
      const { trialId, datetimeStart } = operation;
      const { changes } = await query(
        "UPDATE trials SET state = 'RUNNING', datetime_start = ? WHERE trial_id = ? AND state = 'WAITING'",
        [storedTime(datetimeStart), trialId],
      );
      if (changes > 0) {
        if (context.heartbeats) await beat(query, trialId);
        return trialId;
      }
      const running = await query("SELECT trial_id FROM trials WHERE trial_id = ? AND state = 'RUNNING'", [trialId]);
      if (running.rows.length === 0) await refuse(context, trialId);
      return undefined;
    }
    case 'requeue-trial': {
      const { changes } = await query(`UPDATE trials SET state = 'WAITING' WHERE ${isOpen}`, [operation.trialId]);
      if (changes === 0) await refuse(context, operation.trialId);
      return undefined;
    }
    case 'finish-trial':
      await finishTrial(context, operation);
      return undefined;
    case 'set-intermediate-value':
      await setIntermediate(context, operation.trialId, operation.step, operation.value);
      return undefined;
    case 'set-trial-user-attr':
      await setAttr(context, { ...operation, kind: 'user' });
      return undefined;
    case 'set-trial-system-attr':
      await setAttr(context, { ...operation, kind: 'system' });
      return undefined;
    case 'discard-trials':
      return undefined;
  }
}
