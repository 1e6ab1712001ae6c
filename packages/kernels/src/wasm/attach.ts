import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { KernelError } from '../errors';
import { callsOf, type Pointer, type WasmCalls, type WasmKernelExports } from './exports';
import { wasmKernelsBase64, wasmRelaxedProductsBase64 } from './module.generated';

/** Our kernels inside the memory of one tfjs-backend-wasm. */
export interface WasmKernels extends WasmKernelExports {
  /** The same functions, called by the names of their parameters. */
  readonly call: WasmCalls;
  /**
   * At least `bytes` bytes of scratch, aligned to a cache line. The same room is handed out every time, so it lasts
   * until the next call; freed with the backend.
   */
  scratch(bytes: number): Pointer;
  /**
   * Whether the matrix products run with relaxed SIMD: each multiply-add is then rounded once where the processor has
   * FMA. Results repeat on one machine and engine, not from one to another.
   */
  readonly relaxedSimd: boolean;
  /** Where a tensor's data lies; the backend must own it. */
  pointer(tensor: Pick<TensorInfo, 'dataId'>): Pointer;
}

/** What Emscripten puts on its module object and the types of tfjs leave out. */
interface EmscriptenHeap {
  readonly asm?: { readonly memory?: unknown };
  _malloc(bytes: number): Pointer;
  _free(allocation: Pointer): void;
}

const CACHE_LINE = 64;

const attached = new WeakMap<BackendWasm, WasmKernels>();
let compiled: readonly WebAssembly.Module[] | undefined;

/**
 * Instantiates the kernels in the backend's memory, once a backend. Tensors of the backend are then used in place.
 *
 * @throws KernelError NO_FEATURE where the engine has no SIMD or tfjs runs its multi-threaded build, whose shared
 *   memory the kernels do not take; OUT_OF_MEMORY from `scratch`; DISPOSED after the backend was.
 */
export function attachWasmKernels(backend: BackendWasm): WasmKernels {
  let kernels = attached.get(backend);
  if (kernels === undefined) {
    kernels = instantiate(backend);
    attached.set(backend, kernels);
  }
  return kernels;
}

function instantiate(backend: BackendWasm): WasmKernels {
  const memory = memoryOf(backend);
  compiled ??= compile();
  const exports = compiled.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports);
  const arena = new ScratchArena(heapOf(backend));
  const dispose = backend.dispose.bind(backend);
  backend.dispose = () => {
    arena.dispose();
    attached.delete(backend);
    dispose();
  };
  const functions = Object.assign({}, ...exports) as WasmKernelExports;
  return {
    ...functions,
    call: callsOf(functions),
    relaxedSimd: compiled.length > 1,
    scratch: (bytes) => arena.room(bytes),
    pointer: ({ dataId }) => backend.dataIdMap.get(dataId).memoryOffset,
  };
}

function heapOf(backend: BackendWasm): EmscriptenHeap {
  return backend.wasm as unknown as EmscriptenHeap;
}

/** The WebAssembly.Memory that tfjs' tensors live in. */
function memoryOf(backend: BackendWasm): WebAssembly.Memory {
  const memory = heapOf(backend).asm?.memory;
  if (memory instanceof WebAssembly.Memory) {
    if (typeof SharedArrayBuffer === 'undefined' || !(memory.buffer instanceof SharedArrayBuffer)) return memory;
  }
  throw new KernelError(
    'NO_FEATURE',
    'The WASM kernels need the single-threaded build of tfjs-backend-wasm, whose memory is not shared: set the flag ' +
      "WASM_HAS_MULTITHREAD_SUPPORT to false (tf.env().set) before tf.setBackend('wasm').",
  );
}

/** The modules this engine can run; the exports of a later one replace those of an earlier one. */
function compile(): WebAssembly.Module[] {
  const [kernels, relaxedProducts] = [wasmKernelsBase64, wasmRelaxedProductsBase64].map((base64) =>
    Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
  ) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  if (!WebAssembly.validate(kernels)) {
    throw new KernelError('NO_FEATURE', 'This JavaScript engine lacks WebAssembly SIMD, which the WASM kernels need.');
  }
  const modules = [kernels, relaxedProducts].filter((bytes) => WebAssembly.validate(bytes));
  return modules.map((bytes) => new WebAssembly.Module(bytes));
}

/** One growing allocation in the backend's heap. */
class ScratchArena {
  private allocation: Pointer = 0;
  private size = 0;
  private disposed = false;

  constructor(private readonly heap: EmscriptenHeap) {}

  room(bytes: number): Pointer {
    if (this.disposed) {
      throw new KernelError('DISPOSED', 'The WASM backend these kernels belong to is disposed: attach to the new one.');
    }
    if (bytes > this.size) {
      this.free();
      const size = Math.ceil(bytes / CACHE_LINE) * CACHE_LINE;
      const allocation = this.heap._malloc(size + CACHE_LINE) >>> 0;
      if (allocation === 0) {
        throw new KernelError(
          'OUT_OF_MEMORY',
          `The WASM heap has no room for ${bytes} bytes of scratch: dispose tensors.`,
        );
      }
      this.allocation = allocation;
      this.size = size;
    }
    return Math.ceil(this.allocation / CACHE_LINE) * CACHE_LINE;
  }

  dispose(): void {
    this.free();
    this.disposed = true;
  }

  private free(): void {
    if (this.allocation !== 0) this.heap._free(this.allocation);
    this.allocation = 0;
    this.size = 0;
  }
}
