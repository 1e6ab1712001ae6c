import { KernelError } from '../errors';
import { formatBytes } from '../device/report';
import type { Program } from './program';

/** Bytes a step takes, known before any is allocated. */
export interface PlanMemory {
  /** Intermediates, shared by liveness; the arena of a `PlanCache` is shared by its steps as well. */
  readonly arenaBytes: number;
  /** Inputs, constants, uniforms and outputs. */
  readonly ownBytes: number;
  /** arenaBytes + ownBytes: what the step adds to what is there already. */
  readonly peakBytes: number;
  /** Weights, variables and states that it uses where they are. */
  readonly persistentBytes: number;
  /** Least that any sharing would need for the intermediates, and what they would take without sharing. */
  readonly liveBytes: number;
  readonly unsharedBytes: number;
  /** Buffers of the arena. */
  readonly slots: number;
  /** The intermediates alive where most is alive, largest first. */
  readonly atPeak: readonly { readonly label: string; readonly bytes: number }[];
  /** All of it in a line. */
  readonly text: string;
}

export interface FitOptions {
  readonly name: string;
  readonly budgetBytes: number;
  /** Examples in a batch, for advice. */
  readonly batch: number | undefined;
}

export function planMemory(program: Program, arenaBytes: number): PlanMemory {
  const ownBytes =
    program.inputBytes + program.constants.length + program.own.reduce((total, bytes) => total + bytes, 0);
  const persistentBytes = [...program.bound].reduce((total, { size }) => total + size, 0);
  const { liveBytes, unsharedBytes, atPeak } = program.liveness;
  const peakBytes = arenaBytes + ownBytes;
  return {
    arenaBytes,
    ownBytes,
    peakBytes,
    persistentBytes,
    liveBytes,
    unsharedBytes,
    slots: program.slots.length,
    atPeak,
    text:
      `${formatBytes(peakBytes)} (intermediates ${formatBytes(arenaBytes)} in ${program.slots.length} buffers, ` +
      `inputs, constants and outputs ${formatBytes(ownBytes)}) beside ${formatBytes(persistentBytes)} of weights and states`,
  };
}

/**
 * Checks a step's memory against the budget and the device's limits before any is taken.
 *
 * @throws KernelError OUT_OF_MEMORY with what would fit
 */
export function checkFit(program: Program, memory: PlanMemory, limits: GPUSupportedLimits, options: FitOptions): void {
  const { name, budgetBytes } = options;
  const largest = Math.max(0, ...program.slots, ...program.own);
  const largestAllowed = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  let problem: string;
  let share: number;
  if (memory.peakBytes > budgetBytes) {
    problem = `takes ${memory.text}, and the budget is ${formatBytes(budgetBytes)}`;
    share = Math.max(0, budgetBytes - memory.ownBytes) / Math.max(1, memory.arenaBytes);
  } else if (largest > largestAllowed) {
    problem = `has a tensor of ${formatBytes(largest)}, and the device binds ${formatBytes(largestAllowed)} at most`;
    share = largestAllowed / largest;
  } else {
    return;
  }
  throw new KernelError('OUT_OF_MEMORY', `the step ${name} ${problem}. ${advice(memory, share, options.batch)}`);
}

function advice({ atPeak }: PlanMemory, share: number, batch: number | undefined): string {
  // Intermediates grow with the batch, weights do not.
  const fitting = batch === undefined ? 0 : Math.floor(batch * share);
  const smaller =
    fitting >= 1
      ? `A batch of ${fitting} instead of ${batch} should fit (gradient accumulation makes up for it)`
      : 'Use a smaller batch or shorter sequences';
  const largest = atPeak
    .slice(0, 3)
    .map(({ label, bytes }) => `${label} ${formatBytes(bytes)}`)
    .join(', ');
  return `${smaller}; or have activations wait in float16 with saveActivationsInFloat16(), or only each block's input with gradient checkpointing, checkpoint(). Largest at the peak: ${largest}`;
}
