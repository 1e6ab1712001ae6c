// The first 24 recorded training steps on the GPU at hand beside the Python stack's in float32: losses and norms with
// products in float16. Writes $OUT/training-steps.json.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/check-training.ts FIXTURES BASE
import { mkdirSync, writeFileSync } from 'node:fs';
import { openDevice } from '@qlora-js/kernels';
import { goldenRun, replayTraining } from '../../packages/trainer/src/testing/golden';

const [fixtures, base] = process.argv.slice(2);
if (fixtures === undefined || base === undefined) throw new Error('usage: check-training.ts FIXTURES BASE');
const STEPS = 24;
const device = await openDevice({ backend: 'webgpu' });
const folder = process.env['OUT'] ?? 'bench/results';
mkdirSync(folder, { recursive: true });
const runs: Record<string, unknown> = {};
for (const name of ['adamw_torch', 'paged_adamw_8bit'] as const) {
  const golden = goldenRun(name);
  const seen = await replayTraining(fixtures, base, name, STEPS);
  const loss = Math.max(...seen.map((step, i) => Math.abs(step.loss - golden[i]!.loss)));
  const gradNorm = Math.max(...seen.map((step, i) => Math.abs(step.gradNorm / golden[i]!.gradNorm - 1)));
  runs[name] = { largestLossDifference: loss, largestRelativeNormDifference: gradNorm, steps: seen };
  console.log(name, 'loss', loss.toExponential(2), 'gradient norm', gradNorm.toExponential(2));
}
writeFileSync(`${folder}/training-steps.json`, JSON.stringify({ device: device.info, runs }, undefined, 1));
process.exit(0);
