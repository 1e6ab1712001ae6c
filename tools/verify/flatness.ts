// 10,000 steps of a tiny classifier on wasm, with evaluations and checkpoints: tensors, bytes of tensors, the WASM heap, the
// JavaScript heap after a collection and resident memory, every 250 steps; fails where one grows by more than 1 % after the
// warm-up. Writes docs/verify/flatness.json and docs/verify/flatness.svg.
// usage: node --expose-gc --conditions=@qlora-js/source --import tsx tools/verify/flatness.ts [STEPS]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevice } from '@qlora-js/kernels';
import { folderCheckpoints } from '@qlora-js/trainer/node';
import { tinyTrainer } from '../../packages/trainer/src/testing/runs';

const STEPS = Number(process.argv[2] ?? 10_000);
const EVERY = 250;
/** Steps before anything is compared. */
const WARM_UP = STEPS / 5;
/** Growth that is allowed. */
const ALLOWED = 0.01;

interface Sample {
  readonly step: number;
  readonly tensors: number;
  readonly tensorBytes: number;
  readonly allocatedBytes: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

if (globalThis.gc === undefined) throw new Error('start Node with --expose-gc');
const collect = globalThis.gc;
const folder = mkdtempSync(join(tmpdir(), 'qlora-flat-'));
const device = await openDevice({ backend: 'wasm' });
const samples: Sample[] = [];
const { trainer } = tinyTrainer({
  args: {
    outputDir: folder,
    maxSteps: STEPS,
    loggingSteps: STEPS,
    evalSteps: EVERY,
    saveSteps: EVERY,
    saveTotalLimit: 2,
  },
  checkpoints: folderCheckpoints(folder),
  device,
  callbacks: [
    {
      onStepEnd: ({ state: { globalStep: step } }) => {
        if (step % EVERY !== 0) return;
        collect();
        const { tensors, currentBytes: tensorBytes, allocatedBytes } = device.memory();
        const { heapUsed: heapBytes, rss: residentBytes } = process.memoryUsage();
        samples.push({ step, tensors, tensorBytes, allocatedBytes, heapBytes, residentBytes });
      },
    },
  ],
});
const started = performance.now();
await trainer.train();
const seconds = Math.round((performance.now() - started) / 1000);
device.dispose();
rmSync(folder, { recursive: true });

const KEYS = ['tensors', 'tensorBytes', 'allocatedBytes', 'heapBytes', 'residentBytes'] as const;
const after = samples.filter(({ step }) => step > WARM_UP);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const quarter = Math.ceil(after.length / 4);
/** Median of the last quarter beside that of the first. */
const growth = Object.fromEntries(
  KEYS.map((key) => {
    const first = median(after.slice(0, quarter).map((sample) => sample[key]));
    return [key, median(after.slice(-quarter).map((sample) => sample[key])) / first - 1];
  }),
);
mkdirSync('docs/verify', { recursive: true });
const date = new Date().toISOString().slice(0, 10);
const document = {
  madeBy: 'tools/verify/flatness.ts',
  date,
  node: process.version,
  backend: 'wasm',
  steps: STEPS,
  seconds,
  growth,
  samples,
};
writeFileSync('docs/verify/flatness.json', `${JSON.stringify(document, null, 1)}\n`);
writeFileSync('docs/verify/flatness.svg', chart(samples));
for (const [key, share] of Object.entries(growth)) console.log(`${key} ${(100 * share).toFixed(3)} %`);
process.exit(Object.values(growth).some((share) => share > ALLOWED) ? 1 : 0);

/** Each figure as a share of its median after warm-up, over the steps. */
function chart(points: readonly Sample[]): string {
  const [width, height, left, top] = [640, 240, 60, 20];
  const [low, high] = [0.9, 1.1];
  const colours = ['#1b6ca8', '#c8553d', '#3a7d44', '#8d5a97', '#b8860b'];
  const x = (step: number): number => left + ((width - left - 20) * step) / STEPS;
  const y = (share: number): number =>
    top + (height - top - 40) * (1 - (Math.min(high, Math.max(low, share)) - low) / (high - low));
  const lines = KEYS.map((key, index) => {
    const middle = median(after.map((sample) => sample[key]));
    const path = points.map((sample) => `${x(sample.step).toFixed(1)},${y(sample[key] / middle).toFixed(1)}`).join(' ');
    return `<polyline fill="none" stroke="${colours[index]}" stroke-width="1.5" points="${path}"/><text x="${left + index * 110}" y="${height - 6}" font-size="11" fill="${colours[index]}">${key}</text>`;
  });
  const axes = [low, 1, high].map(
    (share) =>
      `<line x1="${left}" x2="${width - 20}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/><text x="8" y="${y(share) + 4}" font-size="11">${(100 * share).toFixed(0)} %</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">${axes.join('')}${lines.join('')}<text x="${width - 90}" y="${height - 22}" font-size="11">${STEPS} steps</text></svg>\n`;
}
