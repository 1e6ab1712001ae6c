import { type Distribution, toExternal, contains, type ParamValue } from '../distribution/distribution';
import { distributionFromJson } from '../distribution/json';
import { HpoError, shown } from '../errors';
import { type JsonValue } from '../json-value';
import { orderedRecord } from '../ordered-record';
import { parsePythonJson } from '../python-json';
import { type FrozenStudy } from '../storage/storage';
import { type Direction } from '../study/direction';
import { type FrozenTrial, paramsRecord, type TrialState } from '../trial/frozen-trial';
import { ReportedValues } from '../trial/reported-values';
import { type Query } from './database';
import { numberOf, timeOf } from './values';

type Row = Readonly<Record<string, unknown>>;

const states: readonly string[] = ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'];
/** A statement's values are limited in number. */
const chunkLength = 500;

function corrupt(place: string, value: unknown): HpoError {
  return new HpoError('CORRUPT_STORAGE', `${place} holds ${shown(value)}`, {
    place,
    value,
    remedy: 'Take the row out, or mend it, if its trial can not be spared',
  });
}

function json(text: unknown, place: string): JsonValue {
  try {
    return parsePythonJson(String(text));
  } catch {
    throw corrupt(place, text);
  }
}

function grouped(rows: readonly Row[], key: string): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const id = row[key] as number;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [row]);
    else group.push(row);
  }
  return groups;
}

function attributes(rows: readonly Row[] | undefined, table: string): Readonly<Record<string, JsonValue>> {
  return orderedRecord(
    (rows ?? []).map((row) => {
      const key = String(row['key']);
      return [key, json(row['value_json'], `${table}, ${shown(key)}`)];
    }),
  );
}

/** Every study. */
export async function readStudies(query: Query): Promise<FrozenStudy[]> {
  const studies = (await query('SELECT study_id, study_name FROM studies ORDER BY study_id')).rows;
  const directions = grouped(
    (await query('SELECT study_id, direction FROM study_directions ORDER BY study_id, objective')).rows,
    'study_id',
  );
  const attrs = async (kind: string) =>
    grouped(
      (
        await query(
          `SELECT study_id, key, value_json FROM study_${kind}_attributes ORDER BY study_${kind}_attribute_id`,
        )
      ).rows,
      'study_id',
    );
  const [user, system] = [await attrs('user'), await attrs('system')];
  return studies.map((row) => {
    const id = row['study_id'] as number;
    return {
      id,
      name: String(row['study_name']),
      directions: (directions.get(id) ?? []).map(({ direction }): Direction => {
        if (direction === 'MINIMIZE' || direction === 'NOT_SET') return 'minimize';
        if (direction === 'MAXIMIZE') return 'maximize';
        throw corrupt(`study_directions of study ${id}`, direction);
      }),
      userAttrs: attributes(user.get(id), 'study_user_attributes'),
      systemAttrs: attributes(system.get(id), 'study_system_attributes'),
    };
  });
}

function paramsOf(
  rows: readonly Row[] | undefined,
): Pick<FrozenTrial, 'params' | 'distributions' | 'unreadableParams'> {
  const values: [string, ParamValue][] = [];
  const distributions: [string, Distribution][] = [];
  const unreadable: [string, string][] = [];
  for (const row of rows ?? []) {
    const name = String(row['param_name']);
    const value = row['param_value'];
    let distribution: Distribution;
    try {
      distribution = distributionFromJson(String(row['distribution_json']));
    } catch (error) {
      if (!(HpoError.isInstance(error) && error.code === 'INVALID_DISTRIBUTION')) throw error;
      unreadable.push([name, error.message]);
      continue;
    }
    if (typeof value !== 'number' || (distribution.kind === 'categorical' && !contains(distribution, value))) {
      throw corrupt(`trial_params, param_id ${shown(row['param_id'])}`, value);
    }
    values.push([name, toExternal(distribution, value)]);
    distributions.push([name, distribution]);
  }
  const unreadableParams = orderedRecord(unreadable);
  return {
    params: paramsRecord(values, unreadableParams),
    distributions: orderedRecord(distributions),
    unreadableParams,
  };
}

function numbered(rows: readonly Row[] | undefined, [value, kind]: readonly [string, string], table: string): number[] {
  return (rows ?? []).map((row) => {
    const number = numberOf(row[value], row[kind]);
    if (number === undefined) throw corrupt(`${table} of trial ${shown(row['trial_id'])}`, row[value]);
    return number;
  });
}

/** The trials of a study after an id, and those with some ids, in the order of their ids. */
export async function readTrials(
  query: Query,
  { studyId, after, ids }: { studyId: number; after: number; ids: readonly number[] },
): Promise<FrozenTrial[]> {
  const columns = 'trial_id, number, state, datetime_start, datetime_complete';
  const rows = [
    ...(await query(`SELECT ${columns} FROM trials WHERE study_id = ? AND trial_id > ?`, [studyId, after])).rows,
  ];
  for (let i = 0; i < ids.length; i += chunkLength) {
    const chunk = ids.slice(i, i + chunkLength);
    rows.push(
      ...(await query(`SELECT ${columns} FROM trials WHERE trial_id IN (${chunk.map(() => '?').join(', ')})`, chunk))
        .rows,
    );
  }
  rows.sort((a, b) => (a['trial_id'] as number) - (b['trial_id'] as number));
  const trialIds = rows.map((row) => row['trial_id'] as number);

  const details = async (table: string, order: string, extra: string) => {
    const found: Row[] = [];
    for (let i = 0; i < trialIds.length; i += chunkLength) {
      const chunk = trialIds.slice(i, i + chunkLength);
      const marks = chunk.map(() => '?').join(', ');
      found.push(
        ...(
          await query(`SELECT trial_id, ${extra} FROM ${table} WHERE trial_id IN (${marks}) ORDER BY ${order}`, chunk)
        ).rows,
      );
    }
    return grouped(found, 'trial_id');
  };
  const params = await details('trial_params', 'param_id', 'param_id, param_name, param_value, distribution_json');
  const values = await details('trial_values', 'objective', 'value, value_type');
  const reported = await details(
    'trial_intermediate_values',
    'trial_intermediate_value_id',
    'step, intermediate_value, intermediate_value_type',
  );
  const user = await details('trial_user_attributes', 'trial_user_attribute_id', 'key, value_json');
  const system = await details('trial_system_attributes', 'trial_system_attribute_id', 'key, value_json');

  return rows.map((row): FrozenTrial => {
    const id = row['trial_id'] as number;
    const { number, state } = row;
    if (typeof number !== 'number' || !states.includes(state as string))
      throw corrupt(`trials, trial_id ${id}`, [number, state]);
    const its = values.has(id) ? numbered(values.get(id), ['value', 'value_type'], 'trial_values') : undefined;
    const steps = (reported.get(id) ?? []).map(({ step }) => step as number);
    const reports = numbered(
      reported.get(id),
      ['intermediate_value', 'intermediate_value_type'],
      'trial_intermediate_values',
    );
    return {
      id,
      number,
      state: state as TrialState,
      values: its,
      value: its?.length === 1 ? its[0] : undefined,
      ...paramsOf(params.get(id)),
      intermediateValues: ReportedValues.of(steps.map((step, i) => [step, reports[i]!])),
      userAttrs: attributes(user.get(id), 'trial_user_attributes'),
      systemAttrs: attributes(system.get(id), 'trial_system_attributes'),
      datetimeStart: timeOf(row['datetime_start']),
      datetimeComplete: timeOf(row['datetime_complete']),
    };
  });
}

/** Ids of a study's running trials whose last heartbeat is older than so many seconds, by the database's own clock. */
export async function readStaleTrials(
  query: Query,
  { dialect, studyId, graceMs }: { dialect: 'sqlite' | 'postgresql'; studyId: number; graceMs: number },
): Promise<number[]> {
  const limit =
    dialect === 'sqlite'
      ? "strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ? || ' seconds')"
      : '(CURRENT_TIMESTAMP - make_interval(secs => CAST(? AS DOUBLE PRECISION)))::timestamp';
  const { rows } = await query(
    `SELECT trial_id FROM trials JOIN trial_heartbeats USING (trial_id)
     WHERE study_id = ? AND state = 'RUNNING' AND heartbeat < ${limit}`,
    [studyId, graceMs / 1000],
  );
  return rows.map((row) => row['trial_id'] as number);
}

/** Ids of a study's running trials that have no heartbeat. */
export async function readUnheardTrials(query: Query, studyId: number): Promise<number[]> {
  const { rows } = await query(
    `SELECT trial_id FROM trials LEFT JOIN trial_heartbeats USING (trial_id)
     WHERE study_id = ? AND state = 'RUNNING' AND heartbeat IS NULL`,
    [studyId],
  );
  return rows.map((row) => row['trial_id'] as number);
}
