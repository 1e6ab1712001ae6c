import { engine, util, type Tensor, type TensorInfo, type Variable } from '@tensorflow/tfjs-core';
import {
  aligned,
  dataOf,
  flush,
  tensorUsage,
  internalsOf,
  placeOf,
  putInto,
  rangeOf,
  type BackendInternals,
  type BufferRange,
} from './backend';
import { isCaptured } from './capture';
import { encodeCopy } from './encode';

// A device binds few buffers at a time, and tfjs gives each tensor a buffer of its own. Tensors that a kernel takes all at
// once, as an optimiser takes everything that is trained, lie in ranges of one buffer instead. Each stays a tensor like
// any other: ops bind its range, it is read and disposed of by itself, and the buffer ends with the last of them.

/** A buffer with ranges, and which tensor's data is in each now; none where it has been moved out. */
interface SharedBuffer {
  readonly buffer: GPUBuffer;
  readonly ranges: readonly BufferRange[];
  readonly held: (object | undefined)[];
  /** Tensors in it that are not disposed of. */
  live: number;
  /** Whose ranges these are for good, where they are variables'. */
  readonly variables: readonly Variable[];
}

const shared = new WeakMap<GPUBuffer, SharedBuffer>();

/** Has tfjs' backend reckon with ranges: in its own kernels, where values are read, and where a tensor is disposed of. */
export function shareBuffers(backend: BackendInternals): void {
  const { bufferManager } = backend;
  const read = backend.read.bind(backend);
  const readSync = backend.readSync.bind(backend);
  const readToGPU = backend.readToGPU.bind(backend);
  const tensorToBinding = backend.tensorToBinding.bind(backend);
  const releaseBuffer = bufferManager.releaseBuffer.bind(bufferManager);
  // tfjs reads whole buffers: what has a range of one is copied out first.
  const copyOut = (dataId: object): object | undefined => {
    const data = dataOf(backend, dataId);
    const range = rangeOf(dataId);
    if (range === undefined || data?.resource == null) return undefined;
    const copy = backend.makeTensorInfo([...data.shape], data.dtype);
    copyInto(backend, dataId, placeOf(backend, copy.dataId), range.size);
    return copy.dataId;
  };
  backend.read = async (dataId) => {
    const copy = copyOut(dataId);
    try {
      return await read(copy ?? dataId);
    } finally {
      if (copy !== undefined) backend.disposeData(copy);
    }
  };
  const readingCopies =
    <Result>(readNow: (dataId: object) => Result) =>
    (dataId: object): Result => {
      const copy = copyOut(dataId);
      try {
        return readNow(copy ?? dataId);
      } finally {
        if (copy !== undefined) backend.disposeData(copy);
      }
    };
  backend.readSync = readingCopies(readSync);
  backend.readToGPU = readingCopies(readToGPU);
  backend.tensorToBinding = (tensor) =>
    tensor === null || rangeOf(tensor.dataId) === undefined ? tensorToBinding(tensor) : placeOf(backend, tensor.dataId);
  bufferManager.releaseBuffer = (buffer, reuse) => {
    const left = shared.get(buffer);
    if (left !== undefined && --left.live > 0) return;
    shared.delete(buffer);
    releaseBuffer(buffer, reuse);
  };
}

/** Thrown while a function is recorded that takes variables together which lie apart: they can't be moved in between. */
export class LieApart extends Error {
  constructor(readonly lists: readonly (readonly Variable[])[]) {
    super('variables lie in buffers of their own');
  }
}

/**
 * Puts the variables of each list into one buffer, in the list's order, where they are not: into as few as one binding may
 * hold. On webgpu alone, and without a change of values.
 *
 * @throws LieApart while a function is recorded
 */
export function layTogether(...lists: (readonly Variable[])[]): void {
  if (engine().backendName !== 'webgpu') return;
  const backend = internalsOf(engine().backend);
  const apart = lists.flatMap((list) => groupsOf(backend, list)).filter((group) => !liesTogether(backend, group));
  if (apart.length === 0) return;
  if (isCaptured(backend)) throw new LieApart(apart);
  // What has been assigned over is disposed of by then.
  flush(backend);
  for (const group of apart) {
    giveEachItsOwn(group);
    const home = group.map(({ dataId }) => sharedNow(backend, dataId)).find((found) => found !== undefined);
    if (isHomeOf(home, group) && noneElsewhereIn(backend, home))
      group.forEach((_, index) => bringHome(backend, home, index));
    else makeHome(backend, group);
  }
}

/** A tensor of a buffer, and its range of it; without one it has the buffer alone. */
interface LaidTensor {
  readonly dataId: object;
  readonly range: BufferRange | undefined;
  readonly variable: Variable | undefined;
}

/** Moves tensors, none of which shares its data with another, into a new buffer of these bytes, each into its range. */
export function layAt(backend: BackendInternals, bytes: number, tensors: readonly LaidTensor[]): void {
  const buffer = backend.bufferManager.acquireBuffer(bytes, tensorUsage());
  const ranges = tensors.flatMap(({ range }) => range ?? []);
  if (ranges.length > 0) {
    const held = tensors.map(({ dataId }) => dataId);
    const variables = tensors.flatMap(({ variable }) => variable ?? []);
    const home = variables.length === tensors.length ? variables : [];
    shared.set(buffer, { buffer, ranges, held, live: held.length, variables: home });
  }
  for (const { dataId, range } of tensors) move(backend, dataId, buffer, range);
}

/** The variables that share a buffer for good, in the order of their ranges; none where it is nobody's or one tensor's. */
export const variablesIn = (buffer: GPUBuffer): readonly Variable[] => shared.get(buffer)?.variables ?? [];

/**
 * Takes tensors over and gives them back in the same order, lying together in as few buffers as bindings may hold; on other
 * backends than webgpu they are the same tensors. In a recorded plan what makes them writes there, and nothing is copied.
 */
export function together(tensors: readonly Tensor[]): Tensor[] {
  if (engine().backendName !== 'webgpu') return [...tensors];
  const backend = internalsOf(engine().backend);
  return groupsOf(backend, tensors).flatMap((group) => {
    const made = group.map(({ shape, dtype }) => backend.makeTensorInfo(shape, dtype));
    const { buffer, ranges } = makeShared(backend, made);
    return group.map((tensor, index) => {
      const info = made[index]!;
      const range = ranges[index]!;
      copyInto(backend, tensor.dataId, { buffer, offset: range.offset }, range.size);
      putInto(backend, info.dataId, buffer, range);
      tensor.dispose();
      return engine().makeTensorFromTensorInfo(info);
    });
  });
}

/** Where in the buffer that it lies in a tensor begins, in its elements. */
export function elementOffset(backend: BackendInternals, { dataId }: TensorInfo): number {
  return placeOf(backend, dataId).offset / 4;
}

/** Runs of entries whose tensors lie in the same buffers, name by name: each can be bound at once. */
export function runsInSameBuffers<Entry>(
  backend: BackendInternals,
  entries: readonly Entry[],
  tensorsOf: (entry: Entry) => readonly TensorInfo[],
): Entry[][] {
  const runs: { buffers: readonly GPUBuffer[]; entries: Entry[] }[] = [];
  for (const entry of entries) {
    const buffers = tensorsOf(entry).map(({ dataId }) => placeOf(backend, dataId).buffer);
    const last = runs.at(-1);
    if (last?.buffers.every((buffer, i) => buffer === buffers[i]) === true) last.entries.push(entry);
    else runs.push({ buffers, entries: [entry] });
  }
  return runs.map((run) => run.entries);
}

/** A tensor of the same bits in a buffer of its own. */
export function copyOnGpu({ dataId, shape, dtype, size }: Tensor): Tensor {
  const backend = internalsOf(engine().backend);
  const copy = backend.makeTensorInfo(shape, dtype);
  if (size > 0) copyInto(backend, dataId, placeOf(backend, copy.dataId), 4 * size);
  return engine().makeTensorFromTensorInfo(copy);
}

/** Before a variable is assigned a copy of itself: the copy gets the variable's range, and those it shared with the copy's. */
export function keepInPlace({ dataId }: Variable, copy: Tensor): void {
  const backend = internalsOf(engine().backend);
  const range = rangeOf(dataId);
  if (range === undefined || isCaptured(backend)) return;
  const { buffer } = placeOf(backend, dataId);
  const other = placeOf(backend, copy.dataId).buffer;
  const from = shared.get(buffer)!;
  from.held[from.held.indexOf(dataId)] = copy.dataId;
  putInto(backend, copy.dataId, buffer, range);
  putInto(backend, dataId, other);
}

/** The shared buffer that a tensor lies in. */
function sharedNow(backend: BackendInternals, dataId: object): SharedBuffer | undefined {
  const { resource } = backend.tensorMap.get(dataId);
  return resource == null ? undefined : shared.get(resource);
}

function bufferNow(backend: BackendInternals, dataId: object): GPUBuffer | object {
  return backend.tensorMap.get(dataId).resource ?? dataId;
}

/** Whether each has data of its own, and all of it is in one buffer. */
function liesTogether(backend: BackendInternals, group: readonly Variable[]): boolean {
  const buffers = new Set(group.map(({ dataId }) => bufferNow(backend, dataId)));
  return buffers.size === 1 && new Set(group.map(({ dataId }) => dataId)).size === group.length;
}

/** Variables that were assigned one another share their data, which can lie in one range alone. */
function giveEachItsOwn(group: readonly Variable[]): void {
  const taken = new Set<object>();
  for (const variable of group) {
    if (taken.has(variable.dataId)) {
      const copy = copyOnGpu(variable);
      variable.assign(copy);
      copy.dispose();
    }
    taken.add(variable.dataId);
  }
}

function copyInto(
  backend: BackendInternals,
  dataId: object,
  target: { readonly buffer: GPUBuffer; readonly offset: number },
  bytes: number,
): void {
  encodeCopy(backend, { source: placeOf(backend, dataId), target, bytes });
  backend.commandQueueOwnedIds.add(dataId);
}

const bytesOf = ({ shape }: TensorInfo): number => 4 * util.sizeFromShape(shape);

/** The list in runs that one binding may hold. */
function groupsOf<T extends TensorInfo>({ device }: BackendInternals, list: readonly T[]): T[][] {
  const limit = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  const groups: T[][] = [];
  let bytes = Infinity;
  for (const tensor of list) {
    const more = aligned(bytesOf(tensor));
    if (bytes + more > limit) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(tensor);
    bytes += more;
  }
  return groups;
}

function makeShared(
  backend: BackendInternals,
  tensors: readonly TensorInfo[],
  variables: readonly Variable[] = [],
): SharedBuffer {
  let total = 0;
  const ranges = tensors.map((tensor) => {
    const range = { offset: total, size: bytesOf(tensor) };
    total += aligned(range.size);
    return range;
  });
  const buffer = backend.bufferManager.acquireBuffer(total, tensorUsage());
  const held = tensors.map(({ dataId }) => dataId);
  const made: SharedBuffer = { buffer, ranges, held, live: held.length, variables };
  shared.set(buffer, made);
  return made;
}

function makeHome(backend: BackendInternals, variables: readonly Variable[]): void {
  const made = makeShared(backend, variables, variables);
  variables.forEach(({ dataId }, index) => move(backend, dataId, made.buffer, made.ranges[index]));
}

/** Whether a buffer's ranges are these variables', in this order. */
function isHomeOf(home: SharedBuffer | undefined, variables: readonly Variable[]): home is SharedBuffer {
  return (
    home?.variables.length === variables.length && variables.every((variable, i) => home.variables[i] === variable)
  );
}

/** Whether no variable's data lies in another's range, as after an assign among them: within a buffer WebGPU copies nothing. */
function noneElsewhereIn(backend: BackendInternals, { buffer, held, variables }: SharedBuffer): boolean {
  return variables.every(({ dataId }, index) => held[index] === dataId || bufferNow(backend, dataId) !== buffer);
}

/** Brings a variable's data back to its range, whatever it has been assigned since. */
function bringHome(backend: BackendInternals, home: SharedBuffer, index: number): void {
  const { dataId } = home.variables[index]!;
  const before = home.held[index];
  if (before === dataId) return;
  // Somebody may have kept what the variable was: it moves out.
  if (before !== undefined && dataOf(backend, before)?.resource === home.buffer) {
    const { size } = home.ranges[index]!;
    const own = backend.bufferManager.acquireBuffer(size, tensorUsage());
    copyInto(backend, before, { buffer: own, offset: 0 }, size);
    putInto(backend, before, own);
    home.live--;
  }
  home.held[index] = dataId;
  home.live++;
  move(backend, dataId, home.buffer, home.ranges[index]);
}

/** Moves a tensor's data into a buffer, or a range of a shared one that counts it already. */
function move(backend: BackendInternals, dataId: object, buffer: GPUBuffer, range?: BufferRange): void {
  const before = placeOf(backend, dataId);
  const left = shared.get(before.buffer)?.held;
  if (left !== undefined) left[left.indexOf(dataId)] = undefined;
  const bytes = range?.size ?? before.size ?? before.buffer.size;
  copyInto(backend, dataId, { buffer, offset: range?.offset ?? 0 }, bytes);
  putInto(backend, dataId, buffer, range);
  // Its next user comes after the copy in the queue.
  backend.bufferManager.releaseBuffer(before.buffer);
}
