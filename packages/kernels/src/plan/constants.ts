import { isPlanned, writtenBuffers, type BufferRef, type Command, type PlannedBuffer } from './commands';

/**
 * Buffers that hold the same bytes in every run, and these: filled once from the host, or copied once and whole from
 * such a buffer, and never written by a shader.
 */
export function constantBuffers(commands: readonly Command[]): Map<PlannedBuffer, Uint8Array> {
  const writes = new Map<BufferRef, number>();
  for (const command of commands) {
    for (const buffer of writtenBuffers(command)) writes.set(buffer, (writes.get(buffer) ?? 0) + 1);
  }
  const constants = new Map<PlannedBuffer, Uint8Array>();
  for (const command of commands) {
    if (command.kind === 'dispatch') continue;
    const { target } = command;
    if (!isPlanned(target) || writes.get(target) !== 1) continue;
    if (command.kind === 'fill') {
      if (command.offset === 0 && command.bytes.length === target.size) constants.set(target, command.bytes);
    } else if (isPlanned(command.source)) {
      const bytes = constants.get(command.source);
      const whole = command.sourceOffset === 0 && command.targetOffset === 0 && command.size === target.size;
      if (bytes?.length === command.size && whole) constants.set(target, bytes);
    }
  }
  return constants;
}

/** The commands with some buffers replaced; writes that filled a replaced buffer are left out. */
export function replaceBuffers(commands: readonly Command[], by: ReadonlyMap<BufferRef, BufferRef>): Command[] {
  if (by.size === 0) return [...commands];
  const of = (buffer: BufferRef): BufferRef => by.get(buffer) ?? buffer;
  return commands
    .filter((command) => command.kind === 'dispatch' || !by.has(command.target))
    .map((command): Command => {
      if (command.kind === 'fill') return command;
      if (command.kind === 'copy') return { ...command, source: of(command.source), target: of(command.target) };
      return { ...command, bindings: command.bindings.map((bound) => ({ ...bound, buffer: of(bound.buffer) })) };
    });
}
