import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openDevice } from '@qlora-js/kernels';
import { folderCheckpoints } from '@qlora-js/trainer/node';
import { tinyTrainer } from '../../../packages/trainer/src/testing/runs';
import type { Verification } from '../verification';

const EVERY = 250;
/** Share of the steps before anything is compared. */
const WARM_UP = 1 / 5;
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

const KEYS = ['tensors', 'tensorBytes', 'allocatedBytes', 'heapBytes', 'residentBytes'] as const;

/**
 * A tiny classifier on wasm, with evaluations and checkpoints: tensors, bytes of tensors, the WASM heap, the JavaScript heap
 * after a collection and resident memory, every 250 steps. Argument: STEPS. Also writes docs/verify/flatness.svg.
 */
export default {
  summary: 'no memory grows by more than 1 % over 10,000 steps with evaluations and checkpoints',
  run: async ({ root, args, log }) => {
    const steps = Number(args[0] ?? 10_000);
    const samples = await train(steps);
    const after = settled(samples, steps);
    const quarter = Math.ceil(after.length / 4);
    /** Median of the last quarter beside that of the first. */
    const growth = Object.fromEntries(
      KEYS.map((key) => {
        const first = median(after.slice(0, quarter).map((sample) => sample[key]));
        return [key, median(after.slice(-quarter).map((sample) => sample[key])) / first - 1];
      }),
    );
    for (const [key, share] of Object.entries(growth)) log(`${key} ${(100 * share).toFixed(3)} %`);
    writeFileSync(join(root, 'docs/verify/flatness.svg'), chart(samples, steps));
    const failed = Object.values(growth).filter((share) => !(share <= ALLOWED)).length;
    const figures = { backend: 'wasm', steps, growth, samples };
    return { passed: KEYS.length - failed, failed, versions: {}, figures };
  },
} satisfies Verification;

async function train(steps: number): Promise<Sample[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const folder = mkdtempSync(join(tmpdir(), 'qlora-flat-'));
  const device = await openDevice({ backend: 'wasm' });
  const samples: Sample[] = [];
  const { trainer } = tinyTrainer({
    args: {
      outputDir: folder,
      maxSteps: steps,
      loggingSteps: steps,
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
  await trainer.train();
  device.dispose();
  rmSync(folder, { recursive: true });
  return samples;
}

function settled(samples: readonly Sample[], steps: number): readonly Sample[] {
  return samples.filter(({ step }) => step > WARM_UP * steps);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** Each figure as a share of its median after warm-up, over the steps. */
function chart(points: readonly Sample[], steps: number): string {
  const [width, height, left, top] = [640, 240, 60, 20];
  const [low, high] = [0.9, 1.1];
  const colours = ['#1b6ca8', '#c8553d', '#3a7d44', '#8d5a97', '#b8860b'];
  const x = (step: number): number => left + ((width - left - 20) * step) / steps;
  const y = (share: number): number =>
    top + (height - top - 40) * (1 - (Math.min(high, Math.max(low, share)) - low) / (high - low));
  const lines = KEYS.map((key, index) => {
    const middle = median(settled(points, steps).map((sample) => sample[key]));
    const path = points.map((sample) => `${x(sample.step).toFixed(1)},${y(sample[key] / middle).toFixed(1)}`).join(' ');
    return `<polyline fill="none" stroke="${colours[index]}" stroke-width="1.5" points="${path}"/><text x="${left + index * 110}" y="${height - 6}" font-size="11" fill="${colours[index]}">${key}</text>`;
  });
  const axes = [low, 1, high].map(
    (share) =>
      `<line x1="${left}" x2="${width - 20}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/><text x="8" y="${y(share) + 4}" font-size="11">${(100 * share).toFixed(0)} %</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">${axes.join('')}${lines.join('')}<text x="${width - 90}" y="${height - 22}" font-size="11">${steps} steps</text></svg>\n`;
}
