import type { DeviceInfo, DeviceMemory } from './types';

const MIB = 2 ** 20;

export function formatBytes(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(3)} GiB` : `${(bytes / MIB).toFixed(1)} MiB`;
}

export function formatReport(info: DeviceInfo, memory: DeviceMemory): string {
  const limits = Object.entries(info.limits).map(([name, value]) => `${name} ${value.toLocaleString('en')}`);
  const rows: [string, string][] = [
    ['runtime', info.runtime],
    ['backend', info.software ? `${info.backend} (software)` : info.backend],
    ['adapter', info.adapter],
    ['driver', info.driver],
    ['compute dtype', info.computeDtype],
    ['features', info.features.join(', ') || 'none that change a kernel'],
    ['limits', limits.join(', ') || 'none reported'],
    [
      'memory',
      `${formatBytes(memory.currentBytes)} in use, peak ${formatBytes(memory.peakBytes)}, ${formatBytes(memory.allocatedBytes)} held; ${memory.tensors} tensors`,
    ],
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)} ${value}`).join('\n');
}
