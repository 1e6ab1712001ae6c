// Recorded training steps on the GPU at hand, or on another backend, beside the Python stack's in float32: losses and
// norms, on a GPU with products in float16. Writes $OUT/training-steps.json, or training-steps-BACKEND.json, and ends
// with 1 where a step is off or the GPU reports an error.
// usage: npx tsx --conditions=@qlora-js/source tools/bench/check-training.ts [FOLDER] [BACKEND]
//   FOLDER   what tools/python/golden/training.py recorded: tools/golden/training (tiny) by default; the embedded base's
//            steps come from record.py --only training --base packages/base-mini/weights --out OUT, as OUT/training
//   BACKEND  webgpu, wasm, cpu or tensorflow
import { mkdirSync, writeFileSync } from 'node:fs';
import { openDevice, type BackendName } from '@qlora-js/kernels';
import { compareTraining } from './compare-training';
import { collectGpuErrors, exitWithGpuErrors } from './gpu-errors';

const [folder = 'tools/golden/training', backend = 'webgpu'] = process.argv.slice(2);
const device = await openDevice({ backend: backend as BackendName });
const gpuErrors = collectGpuErrors(device);
const out = process.env['OUT'] ?? 'bench/results';
mkdirSync(out, { recursive: true });
const runs = await compareTraining(folder);
// In float16 each loss may be off by 1e-2 (norms by 5e-2), in float32 by 1e-3.
const tolerance = backend === 'webgpu' && !device.info.software ? 1e-2 : 1e-3;
let failed = false;
for (const [name, { largestLossDifference: loss, largestRelativeNormDifference: norm }] of Object.entries(runs)) {
  // A comparison with NaN is false.
  const holds = loss < tolerance && norm < 5 * tolerance;
  failed ||= !holds;
  const words = [`loss ${loss.toExponential(2)}`, `gradient norm ${norm.toExponential(2)}`, holds ? 'holds' : 'OFF'];
  console.log(name, words.join(', '));
}
writeFileSync(
  `${out}/training-steps${backend === 'webgpu' ? '' : `-${backend}`}.json`,
  JSON.stringify({ device: device.info, runs }, undefined, 1),
);
if (failed) process.exit(1);
await exitWithGpuErrors(device, gpuErrors);
