import type { Device } from '@qlora-js/kernels';

/** A list that every error of the device's GPU is added to and printed; empty without a GPU. */
export function collectGpuErrors(device: Device): string[] {
  const errors: string[] = [];
  device.gpuDevice?.addEventListener('uncapturederror', ({ error }) => {
    errors.push(error.message);
    console.error('GPU error:', error.message.slice(0, 800));
  });
  return errors;
}

/** Ends the process, with 1 where the GPU has reported an error since: what was measured then is worth nothing. */
export async function exitWithGpuErrors(device: Device, errors: readonly string[]): Promise<never> {
  await device.synchronize();
  if (errors.length > 0) console.error(`${errors.length} errors of the GPU`);
  process.exit(errors.length > 0 ? 1 : 0);
}

/** Throws, before anything is written, where a value is not a finite number of at most `largest`. */
export function requireSmall(errors: Readonly<Record<string, number>>, largest: number): void {
  const off = Object.entries(errors).filter(([, error]) => !(error <= largest));
  if (off.length === 0) return;
  throw new Error(`off by more than ${largest}: ${off.map(([name, error]) => `${name} ${String(error)}`).join('; ')}`);
}
