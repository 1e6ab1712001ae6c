import {
  isPlanned,
  readBuffers,
  writtenBuffers,
  type BufferRef,
  type Command,
  type CopyCommand,
  type PlannedBuffer,
  type Runnable,
} from './commands';
import { ALIGNMENT } from '../tfjs/backend';

/** A range of a buffer that stands for a buffer of its own. */
export interface Part {
  readonly of: PlannedBuffer;
  readonly offset: number;
}

/**
 * Leaves out copies that only bring a buffer to its range of a larger one: what makes it writes there at once. The larger
 * one must be made of nothing but such copies, and no dispatch may read one of its ranges while it writes another, which
 * WebGPU refuses.
 *
 * @param isFixed buffers whose place is given: inputs, outputs, constants
 */
export function placeInTargets(
  commands: readonly Runnable[],
  isFixed: (buffer: PlannedBuffer) => boolean,
): { commands: Runnable[]; parts: Map<PlannedBuffer, Part> } {
  const targets = madeOfCopies(commands);
  const lastWrites = new Map<BufferRef, number>();
  commands.forEach((command, index) => writtenBuffers(command).forEach((buffer) => lastWrites.set(buffer, index)));
  const candidates = new Map<PlannedBuffer, { readonly part: Part; readonly copy: CopyCommand }>();
  for (const [index, command] of commands.entries()) {
    if (command.kind !== 'copy') continue;
    const { source, target, sourceOffset, targetOffset: offset, size } = command;
    if (!isPlanned(source) || !isPlanned(target) || !targets.has(target) || targets.has(source)) continue;
    if (isFixed(source) || isFixed(target) || candidates.has(source)) continue;
    if ((lastWrites.get(source) ?? 0) > index) continue;
    if (sourceOffset !== 0 || size !== source.size || offset % ALIGNMENT !== 0) continue;
    candidates.set(source, { part: { of: target, offset }, copy: command });
  }
  for (const command of commands) {
    for (const refused of conflicts(command, candidates)) candidates.delete(refused);
  }
  const left = new Set<Command>([...candidates.values()].map(({ copy }) => copy));
  return {
    commands: commands.filter((command) => !left.has(command)),
    parts: new Map([...candidates].map(([buffer, { part }]) => [buffer, part])),
  };
}

/** Buffers that are written by copies alone, no byte of them twice. */
function madeOfCopies(commands: readonly Runnable[]): Set<BufferRef> {
  const ranges = new Map<BufferRef, (readonly [from: number, to: number])[]>();
  const others = new Set<BufferRef>();
  for (const command of commands) {
    if (command.kind === 'dispatch') {
      for (const buffer of writtenBuffers(command)) others.add(buffer);
    } else {
      const { target, targetOffset, size } = command;
      const held = ranges.get(target);
      const range = [targetOffset, targetOffset + size] as const;
      if (held === undefined) ranges.set(target, [range]);
      else held.push(range);
    }
  }
  const disjoint = (held: readonly (readonly [number, number])[]): boolean => {
    const sorted = [...held].sort(([a], [b]) => a - b);
    return sorted.every(([from], i) => i === 0 || sorted[i - 1]![1] <= from);
  };
  return new Set(
    [...ranges].filter(([buffer, held]) => !others.has(buffer) && disjoint(held)).map(([buffer]) => buffer),
  );
}

/** Candidates that a command uses beside other ranges of their target in a way that it may not. */
function conflicts(
  command: Runnable,
  candidates: ReadonlyMap<PlannedBuffer, { readonly part: Part; readonly copy: CopyCommand }>,
): PlannedBuffer[] {
  if (command.kind === 'copy') {
    const { source, target } = command;
    const [from, to] = [source, target].map((buffer) => (isPlanned(buffer) ? candidates.get(buffer) : undefined));
    if (from?.copy === command || (from?.part.of ?? source) !== (to?.part.of ?? target)) return [];
    return [from === undefined ? target : source].filter(isPlanned);
  }
  const written = new Set(writtenBuffers(command));
  const used = new Map<PlannedBuffer, Set<BufferRef>>();
  for (const buffer of readBuffers(command)) {
    const target = isPlanned(buffer) ? (candidates.get(buffer)?.part.of ?? buffer) : undefined;
    if (target === undefined) continue;
    const together = used.get(target) ?? new Set();
    used.set(target, together.add(buffer));
  }
  return [...used.values()].flatMap((together) => {
    if (together.size < 2) return [];
    const writes = [...together].filter((buffer) => written.has(buffer)).length;
    if (writes === 0 || writes === together.size) return [];
    return [...together].filter((buffer): buffer is PlannedBuffer => isPlanned(buffer) && candidates.has(buffer));
  });
}
