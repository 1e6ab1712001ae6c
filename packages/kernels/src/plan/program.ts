import {
  isPlanned,
  PlannedBuffer,
  readBuffers,
  writtenBuffers,
  type BufferRef,
  type Command,
  type Runnable,
} from './commands';
import { aligned } from '../tfjs/backend';
import { constantBuffers } from './constants';
import { placeInTargets } from './place-in-targets';
import { assignSlots, peakOf, type LiveRange } from './liveness';
import type { RecordedInput, RecordedOutput, RecordedTensor, Recording } from './recording';

/** Where a buffer of the recording lies when the plan runs. */
export type Place =
  /** Shared with others that live at other times. */
  | { readonly kind: 'slot'; readonly index: number }
  /** One buffer for all constants and uniforms. */
  | { readonly kind: 'constant'; readonly offset: number }
  /** One buffer for all inputs that no shader writes. */
  | { readonly kind: 'input'; readonly offset: number }
  /** A buffer of its own: outputs, and inputs that are written in place. */
  | { readonly kind: 'own'; readonly index: number }
  /** A range of another one. */
  | { readonly kind: 'part'; readonly of: PlannedBuffer; readonly offset: number };

export interface PlacedTensor extends RecordedTensor {
  readonly place: Place;
}

/** A recorded function ready to get memory. */
export interface Program {
  readonly commands: readonly Runnable[];
  readonly places: ReadonlyMap<PlannedBuffer, Place>;
  readonly inputs: readonly PlacedTensor[];
  readonly outputs: readonly PlacedTensor[];
  /** Bytes of the slots, of the buffers of their own, and of the inputs together. */
  readonly slots: readonly number[];
  readonly own: readonly number[];
  readonly inputBytes: number;
  /** Every constant at its place. */
  readonly constants: Uint8Array<ArrayBuffer>;
  /** Buffers from before the recording that the program writes. */
  readonly written: ReadonlySet<GPUBuffer>;
  /** Buffers from before the recording that it binds at all. */
  readonly bound: ReadonlySet<GPUBuffer>;
  /** Dispatches that were recorded and whose results nobody needs. */
  readonly dropped: number;
  readonly liveness: {
    /** Most bytes of intermediates alive at one time; the slots take at least this. */
    readonly liveBytes: number;
    /** Bytes that the intermediates would take without sharing. */
    readonly unsharedBytes: number;
    /** What is alive at the peak, largest first. */
    readonly atPeak: readonly { readonly label: string; readonly bytes: number }[];
  };
}

/** Constants up to this size are held once, whoever made them; beyond it comparing costs more than it saves. */
const SHARED_CONSTANT_BYTES = 4096;

/**
 * Folds constants, drops what nobody needs and gives every buffer a place.
 *
 * @param join makes fewer commands of those that are needed
 */
export function compileProgram(
  recording: Recording,
  join: (commands: readonly Runnable[]) => Runnable[] = (commands) => [...commands],
): Program {
  const made = new Maker();
  const { commands, outputs } = withResults(recording, made);
  const constants = constantBuffers(commands);
  // An output may be a constant; it still gets a buffer of its own, and the copy that fills it.
  for (const { buffer } of outputs) constants.delete(buffer as PlannedBuffer);
  const results = outputs.map(({ buffer }) => buffer);
  const fixed = new Set<BufferRef>([...results, ...recording.inputs.map(({ buffer }) => buffer), ...constants.keys()]);
  const kept = needed(withoutFills(commands, constants, made), results);
  const { commands: runnable, parts } = placeInTargets(join(kept), (buffer) => fixed.has(buffer));
  const dispatches = (list: readonly Command[]): number => list.filter(({ kind }) => kind === 'dispatch').length;

  const written = new Set(runnable.flatMap(writtenBuffers));
  const used = new Set(runnable.flatMap((command) => [...readBuffers(command), ...writtenBuffers(command)]));
  const places = new Map<PlannedBuffer, Place>();
  const own: number[] = [];
  const ownPlace = (buffer: PlannedBuffer): Place => ({ kind: 'own', index: own.push(buffer.size) - 1 });
  const place = (tensor: RecordedInput | RecordedOutput): PlacedTensor => {
    const { name, shape, dtype, buffer } = tensor;
    return { name, shape, dtype, place: places.get(buffer as PlannedBuffer)! };
  };

  let inputBytes = 0;
  for (const { buffer } of recording.inputs) {
    if (written.has(buffer)) {
      places.set(buffer, ownPlace(buffer));
    } else {
      places.set(buffer, { kind: 'input', offset: inputBytes });
      inputBytes += aligned(buffer.size);
    }
  }
  for (const { buffer } of outputs) places.set(buffer as PlannedBuffer, ownPlace(buffer as PlannedBuffer));
  const packed = packConstants(
    [...used].filter(isPlanned).filter((buffer) => constants.has(buffer)),
    constants,
    places,
  );

  for (const [buffer, part] of parts) places.set(buffer, { kind: 'part', ...part });
  const alive = liveRanges(runnable, places);
  const ranges = [...alive.values()];
  const { slots, slotOf } = assignSlots(ranges);
  [...alive.keys()].forEach((buffer, index) => places.set(buffer, { kind: 'slot', index: slotOf[index]! }));
  const peak = peakOf(ranges);
  const atPeak = ranges.filter(({ first, last }) => first <= peak.command && peak.command <= last);
  atPeak.sort((a, b) => b.bytes - a.bytes);
  const isReal = (buffer: BufferRef): buffer is GPUBuffer => !isPlanned(buffer);
  return {
    commands: runnable,
    places,
    inputs: recording.inputs.map(place),
    outputs: outputs.map(place),
    slots,
    own,
    inputBytes,
    constants: packed,
    written: new Set([...written].filter(isReal)),
    bound: new Set([...used].filter(isReal)),
    dropped: dispatches(recording.commands) - dispatches(kept),
    liveness: {
      liveBytes: peak.bytes,
      unsharedBytes: ranges.reduce((sum, { bytes }) => sum + bytes, 0),
      atPeak: atPeak.map(({ first, bytes }) => ({ label: labelAt(runnable[first]!), bytes })),
    },
  };
}

function labelAt(command: Command): string {
  return command.kind === 'dispatch' ? command.label : 'copy';
}

/** Makes buffers that the recording has not, numbered after nothing in particular. */
class Maker {
  readonly bytes = new Map<PlannedBuffer, Uint8Array>();

  buffer(size: number): PlannedBuffer {
    return new PlannedBuffer(-1, size, GPUBufferUsage.STORAGE, false, () => undefined);
  }

  constant(bytes: Uint8Array): PlannedBuffer {
    const buffer = this.buffer(Math.ceil(bytes.length / 4) * 4);
    this.bytes.set(buffer, bytes);
    return buffer;
  }
}

/**
 * The recorded commands, then the copies that bring outputs to buffers of their own and assigned values to their
 * variables: outputs first, since an output may be what a variable held before.
 */
function withResults(recording: Recording, made: Maker): { commands: Command[]; outputs: RecordedOutput[] } {
  const commands: Command[] = [...recording.commands];
  const copy = (source: BufferRef, target: BufferRef, size: number, targetOffset = 0): void => {
    commands.push({ kind: 'copy', source, sourceOffset: 0, target, targetOffset, size });
  };
  const constants = constantBuffers(recording.commands);
  const taken = new Set<BufferRef>(recording.inputs.map(({ buffer }) => buffer));
  const outputs = recording.outputs.map((output): RecordedOutput => {
    const { buffer } = output;
    if (isPlanned(buffer) && !constants.has(buffer) && !taken.has(buffer)) {
      taken.add(buffer);
      return output;
    }
    const target = made.buffer(buffer.size);
    copy(buffer, target, buffer.size);
    return { ...output, buffer: target };
  });
  // Two variables may have been given each other's values: what they held is set aside before it is overwritten.
  const targets = new Set<BufferRef>(recording.assignments.map(({ target }) => target));
  const sources = recording.assignments.map(({ source }) => {
    if (!targets.has(source)) return source;
    const aside = made.buffer(source.size);
    copy(source, aside, source.size);
    return aside;
  });
  recording.assignments.forEach(({ target, targetOffset, variable }, index) =>
    copy(sources[index]!, target, 4 * variable.size, targetOffset),
  );
  return { commands, outputs };
}

/** Leaves out what only builds constants; other writes from the host become copies from a constant. */
function withoutFills(
  commands: readonly Command[],
  constants: Map<PlannedBuffer, Uint8Array>,
  made: Maker,
): Runnable[] {
  const kept: Runnable[] = [];
  for (const command of commands) {
    if (command.kind !== 'dispatch' && isPlanned(command.target) && constants.has(command.target)) continue;
    if (command.kind === 'fill') {
      const { target, offset, bytes } = command;
      const source = made.constant(bytes);
      kept.push({ kind: 'copy', source, sourceOffset: 0, target, targetOffset: offset, size: source.size });
    } else {
      kept.push(command);
    }
  }
  for (const [buffer, bytes] of made.bytes) constants.set(buffer, bytes);
  return kept;
}

/** The commands on which an output or a lasting buffer depends. */
function needed(commands: readonly Runnable[], outputs: readonly BufferRef[]): Runnable[] {
  const wanted = new Set(outputs);
  const kept: Runnable[] = [];
  for (let index = commands.length - 1; index >= 0; index--) {
    const command = commands[index]!;
    if (!writtenBuffers(command).some((buffer) => !isPlanned(buffer) || wanted.has(buffer))) continue;
    for (const buffer of readBuffers(command)) wanted.add(buffer);
    for (const buffer of writtenBuffers(command)) wanted.add(buffer);
    kept.push(command);
  }
  return kept.reverse();
}

/** Packs the constants' bytes into one buffer and notes their places; equal small ones share theirs. */
function packConstants(
  buffers: readonly PlannedBuffer[],
  constants: ReadonlyMap<PlannedBuffer, Uint8Array>,
  places: Map<PlannedBuffer, Place>,
): Uint8Array<ArrayBuffer> {
  const known = new Map<string, Place>();
  const parts: { bytes: Uint8Array; offset: number }[] = [];
  let total = 0;
  for (const buffer of buffers) {
    if (places.has(buffer)) continue;
    const bytes = constants.get(buffer)!;
    const key = bytes.length <= SHARED_CONSTANT_BYTES ? `${buffer.size} ${bytes.join()}` : undefined;
    let place = key === undefined ? undefined : known.get(key);
    if (place === undefined) {
      place = { kind: 'constant', offset: total };
      parts.push({ bytes, offset: total });
      total += aligned(buffer.size);
      if (key !== undefined) known.set(key, place);
    }
    places.set(buffer, place);
  }
  const packed = new Uint8Array(total);
  for (const { bytes, offset } of parts) packed.set(bytes, offset);
  return packed;
}

/** From the first to the last command that uses it or a part of it, for every buffer without a place. */
function liveRanges(
  commands: readonly Command[],
  places: ReadonlyMap<PlannedBuffer, Place>,
): Map<PlannedBuffer, LiveRange> {
  const ranges = new Map<PlannedBuffer, { bytes: number; first: number; last: number }>();
  commands.forEach((command, index) => {
    for (const used of [...readBuffers(command), ...writtenBuffers(command)]) {
      const place = isPlanned(used) ? places.get(used) : undefined;
      const buffer = place?.kind === 'part' ? place.of : used;
      if (!isPlanned(buffer) || places.has(buffer)) continue;
      const range = ranges.get(buffer);
      if (range === undefined) ranges.set(buffer, { bytes: buffer.size, first: index, last: index });
      else range.last = index;
    }
  });
  return ranges;
}
