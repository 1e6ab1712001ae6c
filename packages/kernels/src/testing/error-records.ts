import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** The largest error one op has shown on one backend in a test file. */
export interface ErrorRecord {
  readonly op: string;
  readonly backend: string;
  /** `relative`: to the largest expected magnitude; `absolute`: as it is. */
  readonly measure: 'relative' | 'absolute';
  readonly largest: number;
  /** What the tests allow. */
  readonly tolerance: number;
  readonly comparisons: number;
}

const folder = fileURLToPath(new URL('../../reports/errors/', import.meta.url));

const records = new Map<string, ErrorRecord>();
let testFile = '';

/** Takes an error down; only inside a test. */
export function recordError(record: Omit<ErrorRecord, 'comparisons'>): void {
  testFile = expect.getState().testPath ?? '';
  const key = `${record.op} ${record.backend} ${record.measure}`;
  const before = records.get(key);
  records.set(key, {
    ...record,
    largest: Math.max(record.largest, before?.largest ?? 0),
    tolerance: Math.max(record.tolerance, before?.tolerance ?? 0),
    comparisons: 1 + (before?.comparisons ?? 0),
  });
}

/** Writes what this test file has recorded so far; tools/errors makes the README's table of all files. */
export async function writeErrorRecords(): Promise<void> {
  if (records.size === 0) return;
  await mkdir(folder, { recursive: true });
  const name = testFile
    .replace(/^.*src\//, '')
    .replace(/\.test\.ts$/, '')
    .replaceAll(/[^\w-]+/g, '.');
  await writeFile(`${folder}${name}.json`, `${JSON.stringify([...records.values()], undefined, 2)}\n`);
}
