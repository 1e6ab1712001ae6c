// Trains a tiny classifier with early stopping, and leaves each checkpoint's trainer_state.json in a folder.
// usage: npx tsx --conditions=@qlora-js/source tools/verify/python/write-trainer-state.ts FOLDER
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDevice } from '@qlora-js/kernels';
import { EarlyStoppingCallback, MemoryCheckpoints } from '@qlora-js/trainer';
import { tinyRun } from '../../../packages/trainer/src/testing/runs';

const folder = process.argv[2]!;
const device = await openDevice({ backend: 'wasm' });
const checkpoints = new MemoryCheckpoints();
await tinyRun({
  checkpoints,
  callbacks: [new EarlyStoppingCallback({ earlyStoppingPatience: 4, earlyStoppingThreshold: 0.001 })],
});
for (const [name, files] of checkpoints.saved) {
  writeFileSync(join(folder, `${name}.json`), files.get('trainer_state.json')!);
}
device.dispose();
