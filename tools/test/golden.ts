import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const OWN = fileURLToPath(new URL('../golden', import.meta.url));
const NAMED = process.env['QLORA_FIXTURES'];
const FOLDER = NAMED ? resolve(NAMED) : OWN;

/**
 * Where a golden value of the Python stack lies, a file or a folder: in tools/golden, or in the folder that
 * QLORA_FIXTURES names, recorded with another seed. Throws where it is missing: no test does without.
 */
export function goldenPath(name: string): string {
  const path = `${FOLDER}/${name}`;
  if (existsSync(path)) return path;
  const elsewhere = NAMED ? ` --out ${FOLDER} --seed SEED` : '';
  throw new Error(
    `The golden value ${path} is missing. tools/python/requirements.txt in a Python, then make it again: ` +
      `python tools/python/golden/record.py${elsewhere}`,
  );
}

/** A golden JSON file, as it is recorded. */
export function goldenJson<T>(name: string): T {
  return JSON.parse(readFileSync(goldenPath(name), 'utf8')) as T;
}
