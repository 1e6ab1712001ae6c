import { spawnSync } from 'node:child_process';

/** Bytes of the first GPU's memory that its driver counts as used by whatever runs, or undefined where nvidia-smi isn't. */
export function driverBytes(): number | undefined {
  const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '--id=0'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8' });
  const mebibytes = status === 0 ? Number(stdout.trim()) : NaN;
  return Number.isFinite(mebibytes) ? mebibytes * 2 ** 20 : undefined;
}
