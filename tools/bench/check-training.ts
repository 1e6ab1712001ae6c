// The first 24 recorded training steps on the GPU at hand, or on another backend, beside the Python stack's in float32:
// losses and norms, on a GPU with products in float16. Writes $OUT/training-steps.json, or training-steps-BACKEND.json.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/check-training.ts FIXTURES BASE [BACKEND]
//   BACKEND  webgpu, wasm, cpu or tensorflow
import { mkdirSync, writeFileSync } from 'node:fs';
import { openDevice, type BackendName } from '@qlora-js/kernels';
import { goldenRun, replayTraining } from '../../packages/trainer/src/testing/golden';

const [fixtures, base, backend = 'webgpu'] = process.argv.slice(2);
if (fixtures === undefined || base === undefined) {
  throw new Error('usage: check-training.ts FIXTURES BASE [BACKEND]');
}
const STEPS = 24;
const device = await openDevice({ backend: backend as BackendName });
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
writeFileSync(
  `${folder}/training-steps${backend === 'webgpu' ? '' : `-${backend}`}.json`,
  JSON.stringify({ device: device.info, runs }, undefined, 1),
);
process.exit(0);
