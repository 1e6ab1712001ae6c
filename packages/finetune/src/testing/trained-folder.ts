import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fineTuneClassifier, type FineTuneFolderOptions } from '../node';
import { writeIntents } from './intents';

/** A folder under the system's temporary one. */
export interface TrainedFolder {
  /** For what the test makes itself. */
  readonly folder: string;
  /** The adapter that was trained. */
  readonly adapter: string;
  /** Removes all of it. */
  remove(): Promise<void>;
}

/** Trains an adapter of the embedded base on the three intents, on wasm. */
export async function trainedFolder(training: FineTuneFolderOptions['training']): Promise<TrainedFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'trained-'));
  const adapter = join(folder, 'adapter');
  await writeIntents(join(folder, 'data'));
  const { dispose } = await fineTuneClassifier({
    data: join(folder, 'data'),
    backend: 'wasm',
    seed: 0,
    padding: { maxLength: 32 },
    output: { folder: adapter },
    training,
    report: false,
  });
  await dispose();
  return { folder, adapter, remove: () => rm(folder, { recursive: true }) };
}
