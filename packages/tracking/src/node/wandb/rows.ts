import { type JsonValue } from '../../json-safe';
import { type HistogramEvent, type LogEvent } from '../../run-event';

/** A row of W&B's history, or its summary: values of JSON, and numbers that JSON lacks. */
export type WandbRow = Readonly<Record<string, JsonValue>>;

/** How a number that JSON lacks stands in a row that is kept as JSON. */
const NOT_FINITE = new Set(['NaN', 'Infinity', '-Infinity']);

/** The columns every row of history has beside its metrics. */
export interface RowTime {
  /** When, in seconds since 1970. */
  readonly timestamp: number;
  /** Seconds since the run began. */
  readonly runtime: number;
}

/** The columns that one event gives to the row of its step. */
export function columnsOf(event: LogEvent | HistogramEvent, { timestamp, runtime }: RowTime): WandbRow {
  const values =
    event.event === 'log'
      ? Object.fromEntries(Object.entries(event.metrics).map(([name, value]) => [name, keepable(value)]))
      : { [event.name]: { _type: 'histogram', values: [...event.counts], bins: [...event.edges] } };
  return { ...values, _step: event.step, _timestamp: timestamp, _runtime: runtime };
}

/**
 * A row as W&B's own client writes it: NaN and infinities stand as bare words, as Python's json has them.
 * Source: wandb 0.31, seen on the wire.
 */
export function rowText(row: WandbRow): string {
  const parts = Object.entries(row).map(([name, value]) => `${JSON.stringify(name)}:${valueText(value)}`);
  return `{${parts.join(',')}}`;
}

function keepable(value: number): JsonValue {
  return Number.isFinite(value) ? value : { _not_finite: String(value) };
}

function valueText(value: JsonValue): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const word = value['_not_finite'];
    if (typeof word === 'string' && NOT_FINITE.has(word)) return word;
  }
  return JSON.stringify(value);
}
