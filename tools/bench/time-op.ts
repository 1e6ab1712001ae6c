import { tidy, type Tensor } from '@tensorflow/tfjs-core';
import { openDevice, type Device } from '@qlora-js/kernels';

/** Milliseconds a bench spends on one case. */
const BUDGET_MS = 400;

/** Opens the backend named on the command line, the best one by default, and says which it is. */
export async function openForBench(): Promise<Device> {
  const [backend = 'auto'] = process.argv.slice(2) as ('auto' | 'webgpu' | 'wasm' | 'cpu')[];
  const device = await openDevice({ backend });
  console.log(`${device.backend}: ${device.info.adapter ?? ''} node ${process.version}`);
  return device;
}

/**
 * Milliseconds of one run of an op: runs follow each other without waiting, as in a training step, in rounds that end
 * with everything done; the fastest round counts.
 */
export async function timeOp(device: Device, run: () => Tensor | readonly Tensor[]): Promise<number> {
  const once = (): void => {
    tidy(() => {
      run();
    });
  };
  once();
  await device.synchronize();
  let best = Infinity;
  let runs = 1;
  const end = performance.now() + BUDGET_MS;
  do {
    const start = performance.now();
    for (let i = 0; i < runs; i++) once();
    await device.synchronize();
    const elapsed = performance.now() - start;
    best = Math.min(best, elapsed / runs);
    if (elapsed < BUDGET_MS / 10) runs *= 2;
  } while (performance.now() < end);
  return best;
}

/** A line of a bench: what, how long, how fast. */
export function printRate(name: string, ms: number, rate: string): void {
  console.log(`${name.padEnd(48)} ${ms.toFixed(3).padStart(10)} ms   ${rate}`);
}
