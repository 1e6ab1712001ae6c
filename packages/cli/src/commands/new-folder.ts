import { readdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ensureWritableFolder } from '@qlora-js/hub/node';
import { UsageError } from '../errors';
import type { OptionTable } from '../options/spec';

/** The option that lets a command replace a folder. */
export const OVERWRITE = {
  overwrite: {
    kind: 'switch',
    default: false,
    group: 'Saving:',
    help: 'replace the folder in --output-dir, all of it',
  },
} as const satisfies OptionTable;

/** Sees, before anything is computed, that a folder can be made as a whole. @throws UsageError where something is in it */
export async function newFolder({
  outputDir,
  overwrite,
}: {
  readonly outputDir: string;
  readonly overwrite: boolean;
}): Promise<void> {
  await ensureWritableFolder(dirname(resolve(outputDir)));
  const entries = await readdir(outputDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new UsageError('USAGE', `--output-dir ${outputDir} can't be used: ${error.message}`, { value: outputDir });
  });
  if (entries.length === 0 || overwrite) return;
  throw new UsageError(
    'USAGE',
    `--output-dir ${outputDir} holds ${entries.slice(0, 3).join(', ')}: choose another folder, or replace it with --overwrite`,
    { value: outputDir },
  );
}
