import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { schemaOf } from './schema';
import { TRAIN_OPTIONS } from './train-options';

const FILE = new URL('../../schema/run.schema.json', import.meta.url);

it('is what the package carries for editors', async () => {
  const text = `${JSON.stringify(schemaOf(TRAIN_OPTIONS, 'A run of qlora train'), null, 2)}\n`;
  if (process.env['UPDATE_SCHEMA'] === '1') await writeFile(FILE, text);
  expect(JSON.parse(await readFile(FILE, 'utf8'))).toEqual(JSON.parse(text));
  const { properties } = JSON.parse(text) as { properties: Record<string, unknown> };
  expect(properties['loraR']).toEqual({ type: 'integer', minimum: 1, default: 16, description: 'rank' });
  expect(properties['token']).toBeUndefined();
});
