import { KernelError } from '../errors';
import type { Device } from '../device/device';
import { encodeCopy, type ReadyCommand } from './encode';
import { readBuffer } from './read';

export interface ProfileRow {
  /** The op and the variant of its shader. */
  readonly label: string;
  readonly dispatches: number;
  readonly microseconds: number;
}

/** GPU time of one run by kernel, longest first. */
export interface StepProfile {
  readonly rows: readonly ProfileRow[];
  readonly dispatches: number;
  /** Sum over the dispatches; gaps between them are not counted. */
  readonly microseconds: number;
  /** The rows as an aligned table. */
  readonly table: string;
}

/** What one GPUQuerySet holds at most, by the specification. */
const QUERIES = 4096;

/** Runs the commands with a pass and two timestamps a dispatch. */
export async function profileCommands(
  device: Device,
  commands: readonly ReadyCommand[],
  begin: () => GPUCommandEncoder,
): Promise<StepProfile> {
  const gpuDevice = device.gpuDevice!;
  if (!gpuDevice.features.has('timestamp-query')) {
    throw new KernelError(
      'NO_FEATURE',
      'the device has no timestamp-query, without which kernels cannot be timed one by one; measure whole steps with device.synchronize() instead',
    );
  }
  const labels = commands.flatMap((command) => (command.kind === 'dispatch' ? [command.label] : []));
  const sets = Array.from({ length: Math.ceil((labels.length * 2) / QUERIES) }, (_, index) =>
    gpuDevice.createQuerySet({ type: 'timestamp', count: Math.min(QUERIES, labels.length * 2 - index * QUERIES) }),
  );
  const bytes = Math.max(1, labels.length) * 16;
  const results = device.owner('profile', () =>
    gpuDevice.createBuffer({ size: bytes, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
  );
  const encoder = begin();
  let dispatch = 0;
  for (const command of commands) {
    if (command.kind === 'copy') {
      encodeCopy(command, encoder);
      continue;
    }
    const query = 2 * dispatch++;
    const timestampWrites = {
      querySet: sets[Math.floor(query / QUERIES)]!,
      beginningOfPassWriteIndex: query % QUERIES,
      endOfPassWriteIndex: (query % QUERIES) + 1,
    };
    const pass = encoder.beginComputePass({ timestampWrites });
    pass.setPipeline(command.pipeline);
    pass.setBindGroup(0, command.group);
    pass.dispatchWorkgroups(...command.workgroups);
    pass.end();
  }
  sets.forEach((set, index) => encoder.resolveQuerySet(set, 0, set.count, results, index * QUERIES * 8));
  gpuDevice.queue.submit([encoder.finish()]);
  try {
    const stamps = new BigUint64Array(await readBuffer(device, results, bytes));
    return summarise(labels.map((label, i) => ({ label, nanoseconds: Number(stamps[2 * i + 1]! - stamps[2 * i]!) })));
  } finally {
    results.destroy();
    for (const set of sets) set.destroy();
  }
}

/** Adds up dispatches of one label. A timestamp that ran backwards, as clocks of GPUs may, counts as no time. */
export function summarise(times: readonly { readonly label: string; readonly nanoseconds: number }[]): StepProfile {
  const rows = new Map<string, { label: string; dispatches: number; microseconds: number }>();
  for (const { label, nanoseconds } of times) {
    const row = rows.get(label) ?? { label, dispatches: 0, microseconds: 0 };
    row.dispatches++;
    row.microseconds += Math.max(0, nanoseconds) / 1000;
    rows.set(label, row);
  }
  const sorted = [...rows.values()].sort((a, b) => b.microseconds - a.microseconds || (a.label < b.label ? -1 : 1));
  const microseconds = sorted.reduce((sum, row) => sum + row.microseconds, 0);
  const total = { label: 'all', dispatches: times.length, microseconds };
  return { rows: sorted, dispatches: times.length, microseconds, table: formatTable([...sorted, total], microseconds) };
}

function formatTable(rows: readonly ProfileRow[], total: number): string {
  const cells = rows.map(({ label, dispatches, microseconds }) => [
    label,
    String(dispatches),
    microseconds.toFixed(1),
    (microseconds / dispatches).toFixed(2),
    `${((100 * microseconds) / Math.max(total, 1e-9)).toFixed(1)} %`,
  ]);
  const lines = [['kernel', 'dispatches', 'us', 'us each', 'share'], ...cells];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    )
    .join('\n');
}
