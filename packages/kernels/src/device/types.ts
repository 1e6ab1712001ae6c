/** Backends by the name `openDevice` takes. */
export const BACKEND_NAMES = ['webgpu', 'wasm', 'tensorflow', 'cpu'] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];

export interface OpenDeviceOptions {
  /** Which backend; `auto` (default) takes a GPU where there is one and wasm otherwise, and says so. */
  readonly backend?: BackendName | 'auto';
  /** Takes the one line that says what was picked and why. Default: console.warn when `auto` finds no GPU. */
  readonly log?: (line: string) => void;
  /** A WebGPU entry point to use instead of `navigator.gpu` or Node's `webgpu` package. */
  readonly gpu?: GPU;
  /** Path of a Dawn addon (`dawn.node`) for Node; default: the environment's QLORA_DAWN_NODE, then the package `webgpu`. */
  readonly dawnAddon?: string;
  /** Dawn toggles for Node, e.g. `disable_robustness`; the names are Dawn's. */
  readonly dawnToggles?: readonly string[];
  /** Features of the adapter that are not asked for (`shader-f16`): how a device that lacks them would do. Default: none. */
  readonly withoutFeatures?: readonly string[];
  /** Folder or URL prefix of tfjs-backend-wasm's .wasm files, where they do not lie beside it. */
  readonly wasmPaths?: string;
}

/** What a run can be described by. */
export interface DeviceInfo {
  readonly backend: BackendName;
  /** Node's or the browser's name and version. */
  readonly runtime: string;
  readonly adapter: string;
  readonly driver: string;
  /** Features that change which kernels run. */
  readonly features: readonly string[];
  /** Limits that bound sizes, by WebGPU's names; empty elsewhere. */
  readonly limits: Readonly<Record<string, number>>;
  /** dtype that matrix products compute in. */
  readonly computeDtype: 'float16' | 'float32';
  /** True where a GPU is imitated by the CPU. */
  readonly software: boolean;
}

/** What a device holds at the moment. */
export interface DeviceMemory {
  /** Live tensors, as tfjs counts them. */
  readonly tensors: number;
  /** Bytes of live tensors, as tfjs counts them: on webgpu tensors of a recording, which have no memory, are among them. */
  readonly tensorBytes: number;
  /**
   * Bytes in use: on webgpu those of every GPU buffer but the ones that wait for reuse, so weights, uniforms and plans'
   * arenas count (torch.cuda.memory_allocated); elsewhere `tensorBytes`.
   */
  readonly currentBytes: number;
  /** Largest currentBytes since the device was opened or `resetPeakMemory` was called (torch.cuda.max_memory_allocated). */
  readonly peakBytes: number;
  /** Bytes held from the system: GPU buffers, in use or waiting for reuse, or the WASM heap (torch.cuda.memory_reserved). */
  readonly allocatedBytes: number;
  /** Largest allocatedBytes since the device was opened or `resetPeakMemory` was called; on webgpu only, else 0. */
  readonly peakAllocatedBytes: number;
  /** GPU buffers by who holds them: names given to `device.owner`, and tfjs' own; empty on other backends. */
  readonly byOwner: Readonly<Record<string, OwnedBytes>>;
}

/** Bytes of one owner's GPU buffers. */
export interface OwnedBytes {
  /** Now. */
  readonly currentBytes: number;
  /** At most since the device was opened or `resetPeakMemory` was called. */
  readonly peakBytes: number;
}
