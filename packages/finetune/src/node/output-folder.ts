import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureWritableFolder, writeFileAtomic } from '@qlora-js/hub/node';
import { ADAPTER_CONFIG } from '@qlora-js/lora';
import { FinetuneError } from '../errors';
import type { AdapterFolder } from '../saving/describing-files';

/** What a run may do with a folder that is not empty. */
export interface OutputFolderOptions {
  /** Replace what an earlier run has left there. Default false. */
  readonly overwrite?: boolean;
  /** Go on with what an earlier run has left there. Default false. */
  readonly resume?: boolean;
}

/**
 * Makes a run's folder and sees that it can be written, before anything is computed.
 * @throws FinetuneError `OUTPUT_NOT_EMPTY` for a folder with other content, unless the run overwrites or resumes; HubError
 *   `NOT_WRITABLE`
 */
export async function prepareOutputFolder(
  folder: string,
  { overwrite = false, resume = false }: OutputFolderOptions,
): Promise<void> {
  await ensureWritableFolder(folder);
  const entries = await readdir(folder);
  if (entries.length === 0 || overwrite || resume) return;
  throw new FinetuneError(
    'OUTPUT_NOT_EMPTY',
    `${folder} holds ${entries.slice(0, 5).join(', ')}${entries.length > 5 ? ', ...' : ''}`,
    {
      value: folder,
      remedy: 'choose another folder, or say whether to overwrite what an earlier run has left there or to resume it',
    },
  );
}

/**
 * Writes an adapter's files into a folder that may hold others, which stay. A reader finds all of an adapter or none:
 * adapter_config.json, without which nothing loads, goes first and comes back last.
 */
export async function writeAdapter(folder: string, files: AdapterFolder): Promise<void> {
  const { [ADAPTER_CONFIG]: config, ...others } = files;
  const same = await Promise.all(
    Object.entries(others).map(async ([name, content]) =>
      equal(await readFile(join(folder, name)).catch(() => undefined), content),
    ),
  );
  const changed = Object.entries(others).filter((_, index) => !same[index]);
  // The card and the figures belong to whichever adapter is there; only other weights make another adapter.
  const replaces = changed.some(([name]) => !/\.(md|json)$/.test(name) || name === 'config.json');
  if (replaces) await rm(join(folder, ADAPTER_CONFIG), { force: true });
  for (const [name, content] of changed) await writeFileAtomic(join(folder, name), content);
  if (config !== undefined) await writeFileAtomic(join(folder, ADAPTER_CONFIG), config);
}

function equal(bytes: Uint8Array | undefined, content: Uint8Array | string): boolean {
  if (bytes === undefined) return false;
  return Buffer.compare(bytes, typeof content === 'string' ? Buffer.from(content) : content) === 0;
}
