import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const besideProject = fileURLToPath(new URL('../../../shared/fixtures', import.meta.url));

/** Folder of the golden values from the Python stack, or undefined where this machine has none. */
export const fixturesFolder: string | undefined = [process.env['QLORA_FIXTURES'], besideProject].find(
  (folder): folder is string => folder !== undefined && existsSync(folder),
);

/** A sibling of the golden values: `banking77` (the real data) or `mini` (the small base). */
export function besideFixtures(name: string): string | undefined {
  const folder = fixturesFolder && `${fixturesFolder}/../${name}`;
  return folder && existsSync(folder) ? folder : undefined;
}
