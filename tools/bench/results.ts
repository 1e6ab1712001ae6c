import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const RESULTS = 'bench/results';

/** What devices may lack, for a step measured without it: subgroup matrices, then everything that is not in WebGPU's core. */
export const WITHOUT = [
  ['chromium-experimental-subgroup-matrix'],
  ['chromium-experimental-subgroup-matrix', 'shader-f16', 'subgroups'],
] as const;

/** The result file of a step without these features. */
export const withoutResult = (features: readonly string[]): string =>
  `step${features.map((name) => `-without-${name}`).join('')}.json`;

export interface Machine {
  readonly runtime: string;
  readonly adapter: string;
  readonly driver: string;
  readonly features: readonly string[];
}

/** A training step or an evaluation of one shape; times in milliseconds. */
export interface StepRow {
  readonly shape: string;
  readonly checkpointing?: boolean;
  /** What activations wait in for the backward pass; float32 where it isn't said. */
  readonly activationDtype?: 'float32' | 'float16';
  readonly evaluation?: boolean;
  readonly eagerMs?: number;
  readonly eagerPeakGiB?: number;
  readonly planMs?: number;
  readonly planPeakGiB?: number;
  /** All buffers while the plan runs, by `device.memory()` and by the driver. */
  readonly allocatedGiB?: number;
  readonly driverGiB?: number;
  /** What encoding and submitting a replay takes the host while the GPU is idle; no waiting for the GPU is in it. */
  readonly issueMs?: number;
  readonly gpuMs?: number;
  readonly dispatches?: number;
  readonly tokensPerSecond?: number;
}

export interface KernelRow {
  readonly kernel: string;
  readonly dispatches: number;
  readonly microseconds: number;
}

export interface StepResults {
  readonly device: Machine;
  readonly dawnToggles: readonly string[];
  readonly results: readonly StepRow[];
  readonly kernels: Readonly<Record<string, { readonly total: readonly KernelRow[] }>>;
}

export interface TileResults {
  readonly device: Machine;
  readonly results: readonly {
    readonly rows: number;
    readonly N: number;
    readonly K: number;
    readonly transposed: boolean;
    readonly tile: string;
    /** What x comes in, and W. */
    readonly left: 'float32' | 'float16';
    readonly right: 'codes' | 'float16';
    readonly splits: number;
    readonly error: number;
    readonly teraflops: number;
  }[];
}

export interface ProductErrors {
  readonly device: Machine;
  readonly subgroupMatrices: boolean;
  readonly results: readonly { readonly name: string; readonly error: number }[];
}

export interface EpochResults {
  readonly device: Machine;
  readonly rows: number;
  readonly realTokens: number;
  readonly epochs: readonly {
    readonly epoch_time_sec: number;
    readonly tokens_per_sec_est: number;
    readonly real_tokens_per_sec: number;
    readonly gpu_max_mem_allocated_GiB: number;
  }[];
}

export interface AccuracyResults {
  readonly device: Machine;
  readonly results: readonly {
    readonly learningRate: number;
    readonly seed: number;
    readonly test_accuracy: number;
    readonly test_f1: number;
  }[];
}

export interface AttentionErrors {
  readonly results: readonly Readonly<Record<'forward' | 'dq' | 'dk' | 'dv', number>>[];
}

export interface TrainingSteps {
  readonly runs: Readonly<
    Record<string, { readonly largestLossDifference: number; readonly steps: readonly unknown[] }>
  >;
}

export interface PeerResults {
  readonly machine: string;
  readonly versions: string;
  readonly steps: readonly {
    readonly shape: string;
    readonly checkpointing: boolean;
    readonly ms: number;
    readonly peakGiB: number;
  }[];
  readonly evaluations: readonly { readonly shape: string; readonly ms: number; readonly tokensPerSecond: number }[];
}

/** Steps of the small base without a GPU; each list has a round's milliseconds a step. */
export interface CpuStepRun {
  readonly node: string;
  readonly shape: string;
  /** The machine's load before the run, over a minute. */
  readonly loadBefore: number;
  readonly threads: readonly { readonly threads: number; readonly ms: readonly number[] }[];
  readonly peer?: { readonly versions: string; readonly threads: number; readonly ms: readonly number[] };
}

export interface CpuStepResults {
  readonly device: Machine & { readonly processor: string; readonly cores: number };
  readonly runs: readonly CpuStepRun[];
}

/** A result file that a bench wrote, or undefined where it was not run. */
export function readResult<Result>(name: string): Result | undefined {
  const path = join(RESULTS, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Result) : undefined;
}

/** The steps' results after each change, in order, by the change's name. */
export function readChanges(): { readonly name: string; readonly step: StepResults }[] {
  const folder = join(RESULTS, 'changes');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((file) => ({
      name: file.replace(/^\d+-|\.json$/g, '').replaceAll('-', ' '),
      step: JSON.parse(readFileSync(join(folder, file), 'utf8')) as StepResults,
    }));
}
