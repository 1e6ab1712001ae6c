// Recorded training steps on the GPU at hand, or on another backend, beside the Python stack's in float32: losses and
// norms, on a GPU with products in float16. Writes $OUT/training-steps.json, or training-steps-BACKEND.json.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/check-training.ts [FOLDER] [BACKEND]
//   FOLDER   what tools/python/golden/training.py recorded: tools/golden/training (tiny) by default; the embedded base's
//            steps come from record.py --only training --base packages/base-mini/weights --out OUT, as OUT/training
//   BACKEND  webgpu, wasm, cpu or tensorflow
import { mkdirSync, writeFileSync } from 'node:fs';
import { openDevice, type BackendName } from '@qlora-js/kernels';
import { goldenRuns, replayTraining } from '../../packages/trainer/src/testing/golden';

const [folder = 'tools/golden/training', backend = 'webgpu'] = process.argv.slice(2);
const device = await openDevice({ backend: backend as BackendName });
const out = process.env['OUT'] ?? 'bench/results';
mkdirSync(out, { recursive: true });
const runs: Record<string, unknown> = {};
for (const name of ['adamw_torch', 'paged_adamw_8bit'] as const) {
  const golden = goldenRuns(folder).runs[name]!.steps;
  const { steps } = await replayTraining(folder, name);
  const loss = Math.max(...steps.map((step, i) => Math.abs(step.loss - golden[i]!.loss)));
  const gradNorm = Math.max(...steps.map((step, i) => Math.abs(step.gradNorm / golden[i]!.gradNorm - 1)));
  runs[name] = { largestLossDifference: loss, largestRelativeNormDifference: gradNorm, steps };
  console.log(name, 'loss', loss.toExponential(2), 'gradient norm', gradNorm.toExponential(2));
}
writeFileSync(
  `${out}/training-steps${backend === 'webgpu' ? '' : `-${backend}`}.json`,
  JSON.stringify({ device: device.info, runs }, undefined, 1),
);
process.exit(0);
