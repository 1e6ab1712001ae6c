import { GoldenTensors } from '../../../tools/test/safetensors';

/** Both moments of a parameter in 8 bits, as a state dict has them. */
export interface RecordedState {
  /** Codes of m, [size]. */
  readonly m: Uint8Array;
  /** Codes of v, [size]. */
  readonly v: Uint8Array;
  /** [blocks] */
  readonly mAbsmax: Float32Array;
  /** [blocks] */
  readonly vAbsmax: Float32Array;
}

/** One recorded parameter: its hyper-parameters, and what every step began with and ended in. */
export interface RecordedParameter {
  readonly name: string;
  readonly size: number;
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
  gradient(step: number): Float32Array;
  /** Values before a step counted from 0; those after the last have the number of steps. */
  values(step: number): Float32Array;
  stateBefore(step: number): RecordedState;
  stateAfter(step: number): RecordedState;
  /** What the CPU path makes of a step of `cpuSteps`. */
  cpuValues(step: number): Float32Array;
  cpuStateAfter(step: number): RecordedState;
}

/** What tools/python/golden_adamw8bit_cuda.py has written; its docstring says which tensors there are. */
export interface Adamw8bitRecord {
  readonly steps: number;
  /** Steps that the CPU path took from CUDA's state, counted from 0. */
  readonly cpuSteps: readonly number[];
  readonly parameters: readonly RecordedParameter[];
}

interface Settings {
  readonly size: number;
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly weight_decay: number;
}

export function adamw8bitRecord(): Adamw8bitRecord {
  const golden = new GoldenTensors(new URL('./golden/adamw8bit-cuda.safetensors', import.meta.url).pathname);
  const levels = golden.floats('levels');
  const cpuSteps = JSON.parse(golden.metadata['cpu_steps']!) as number[];
  const settings = JSON.parse(golden.metadata['parameters']!) as Record<string, Settings>;
  const bytes = (name: string, row: number, columns: number): Uint8Array =>
    golden.bytes(name).slice(row * columns, (row + 1) * columns);
  const floats = (name: string, row: number, columns: number): Float32Array =>
    golden.floats(name).slice(row * columns, (row + 1) * columns);
  const state = (prefix: string, row: number, size: number): RecordedState => ({
    m: bytes(`${prefix}.state1`, row, size),
    v: bytes(`${prefix}.state2`, row, size),
    mAbsmax: floats(`${prefix}.absmax1`, row, Math.ceil(size / 256)),
    vAbsmax: floats(`${prefix}.absmax2`, row, Math.ceil(size / 256)),
  });
  const zeros = (size: number): RecordedState => ({
    m: new Uint8Array(size),
    v: new Uint8Array(size),
    mAbsmax: new Float32Array(Math.ceil(size / 256)),
    vAbsmax: new Float32Array(Math.ceil(size / 256)),
  });
  const parameters = Object.entries(settings).map(([name, { size, lr, betas, eps, weight_decay: weightDecay }]) => ({
    name,
    size,
    betas,
    weightDecay,
    learningRate: lr,
    epsilon: eps,
    gradient: (step: number) => Float32Array.from(bytes(`${name}.gradient`, step, size), (code) => levels[code]!),
    values: (step: number) => floats(`${name}.parameter`, step, size),
    stateBefore: (step: number) => (step === 0 ? zeros(size) : state(name, step - 1, size)),
    stateAfter: (step: number) => state(name, step, size),
    cpuValues: (step: number) => floats(`${name}.cpu.parameter`, cpuSteps.indexOf(step), size),
    cpuStateAfter: (step: number) => state(`${name}.cpu`, cpuSteps.indexOf(step), size),
  }));
  return { steps: Number(golden.metadata['steps']), cpuSteps, parameters };
}
