import { open } from 'node:fs/promises';
import { TrackingError } from '../errors';
import { type JsonValue } from '../json-safe';
import { type RunStatus } from '../tracker';

interface Timed {
  /** ISO 8601, UTC. */
  time: string;
}

export type JsonlEvent =
  | (Timed & { event: 'start'; runName: string; config: JsonValue; tags: string[] })
  | (Timed & { event: 'log'; step: number; metrics: Record<string, number> })
  | (Timed & { event: 'summary'; values: Record<string, JsonValue> })
  | (Timed & { event: 'finish'; status: RunStatus });

export interface JsonlFile {
  events: JsonlEvent[];
  /** Numbers (from 1) of the lines that are no such event: cut off by a crash, or another program's. */
  unreadable: number[];
}

/**
 * Reads what JsonlTracker wrote, line by line; "NaN", "Infinity" and "-Infinity" among the metrics become numbers again.
 *
 * @throws TrackingError READ_FAILED with the path
 */
export async function readJsonlEvents(path: string): Promise<JsonlFile> {
  const file: JsonlFile = { events: [], unreadable: [] };
  try {
    const handle = await open(path);
    try {
      let number = 0;
      for await (const line of handle.readLines({ encoding: 'utf8' })) {
        number++;
        const event = parseEvent(line);
        if (event) file.events.push(event);
        else file.unreadable.push(number);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TrackingError('READ_FAILED', `${path} could not be read: ${reason}.`, path, { cause: error });
  }
  return file;
}

function parseEvent(line: string): JsonlEvent | undefined {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(row) || typeof row['time'] !== 'string') return undefined;
  const { event, time } = row;
  if (event === 'start' && typeof row['run_name'] === 'string' && isStrings(row['tags'])) {
    return { event, time, runName: row['run_name'], config: row['config'] ?? null, tags: row['tags'] };
  }
  if (event === 'log' && typeof row['step'] === 'number' && isObject(row['metrics'])) {
    const metrics = Object.entries(row['metrics']).map(([name, value]) => [name, asNumber(value)] as const);
    if (metrics.some(([, value]) => value === undefined)) return undefined;
    return { event, time, step: row['step'], metrics: Object.fromEntries(metrics) as Record<string, number> };
  }
  if (event === 'summary' && isObject(row['values'])) return { event, time, values: row['values'] };
  if (event === 'finish' && isStatus(row['status'])) return { event, time, status: row['status'] };
  return undefined;
}

function asNumber(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : undefined;
}

function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isStatus(value: unknown): value is RunStatus {
  return value === 'finished' || value === 'failed' || value === 'interrupted';
}
