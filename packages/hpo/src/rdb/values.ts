/** A number and what kind it is, since a database's float holds no infinities and no NaN. */
export type StoredNumber = readonly [value: number | null, kind: 'FINITE' | 'INF_POS' | 'INF_NEG' | 'NAN'];

/** Source: optuna.storages._rdb.models.TrialIntermediateValueModel. */
export function storedNumber(value: number): StoredNumber {
  if (Number.isFinite(value)) return [value, 'FINITE'];
  if (Number.isNaN(value)) return [null, 'NAN'];
  return [null, value > 0 ? 'INF_POS' : 'INF_NEG'];
}

/** The number of a stored one; undefined where the kind is none. */
export function numberOf(value: unknown, kind: unknown): number | undefined {
  if (kind === 'FINITE') return typeof value === 'number' ? value : undefined;
  if (kind === 'NAN') return NaN;
  if (kind === 'INF_POS') return Infinity;
  return kind === 'INF_NEG' ? -Infinity : undefined;
}

/** UTC without a zone, in microseconds, as SQLAlchemy writes and reads it. */
export function storedTime(time: Date | undefined): string | null {
  return time === undefined ? null : time.toISOString().replace('T', ' ').replace('Z', '000');
}

/** The time of a stored one; JavaScript keeps its milliseconds. Undefined where it is none. */
export function timeOf(stored: unknown): Date | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?$/.exec(String(stored));
  if (parts === null) return undefined;
  const [, day, clock, fraction = ''] = parts;
  const time = new Date(`${day}T${clock}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
