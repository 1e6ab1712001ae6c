import { backend, setBackend } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-wasm';
import { expect } from 'vitest';
import { attachWasmKernels, type WasmKernels } from './attach';
import type { Pointer } from './exports';

const GUARD_BYTES = 256;
const GUARD = 0xa5;
/** Every byte 255 is NaN as a float and -1 as an integer. */
const POISON = 0xff;

type Values = Float32Array | Int32Array | Uint8Array;

/** The parts of tfjs-backend-wasm that a test of a kernel works with. */
export interface TestedKernels {
  readonly kernels: WasmKernels;
  readonly backend: BackendWasm;
}

interface Emscripten {
  _malloc(bytes: number): Pointer;
  _free(pointer: Pointer): void;
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
}

interface Block {
  readonly pointer: Pointer;
  readonly bytes: number;
  /** What an input must still hold afterwards; absent for outputs. */
  readonly expected?: Uint8Array;
}

export async function openKernels(): Promise<TestedKernels> {
  await setBackend('wasm');
  const wasm = backend() as BackendWasm;
  return { kernels: attachWasmKernels(wasm), backend: wasm };
}

/**
 * Blocks of the WASM heap for one call of a kernel. Each lies between guard bytes; outputs and scratch start as NaN,
 * so that an element left unwritten or read too early shows.
 */
export class TestHeap {
  private readonly blocks: Block[] = [];

  private constructor(private readonly wasm: BackendWasm) {}

  /** Runs `body` on a heap, then checks that no guard and no input has changed, and frees all. */
  static use<T>({ backend: wasm }: TestedKernels, body: (heap: TestHeap) => T): T {
    const heap = new TestHeap(wasm);
    try {
      const result = body(heap);
      heap.verify();
      return result;
    } finally {
      for (const { pointer } of heap.blocks) heap.emscripten._free(pointer - GUARD_BYTES);
    }
  }

  /** A copy of values that the kernel may only read. */
  input(values: Values): Pointer {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    return this.place(bytes, bytes);
  }

  /** A copy of values that the kernel may change. */
  inOut(values: Values): Pointer {
    return this.place(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** Room for an output or for scratch, full of NaN. */
  room(bytes: number): Pointer {
    return this.place(new Uint8Array(bytes).fill(POISON));
  }

  floats(pointer: Pointer, count: number): Float32Array {
    return new Float32Array(this.memory, pointer, count).slice();
  }

  bytes(pointer: Pointer, count: number): Uint8Array {
    return new Uint8Array(this.memory, pointer, count).slice();
  }

  private get emscripten(): Emscripten {
    return this.wasm.wasm as unknown as Emscripten;
  }

  private get memory(): ArrayBuffer {
    return this.emscripten.HEAPU8.buffer;
  }

  private place(contents: Uint8Array, expected?: Uint8Array): Pointer {
    const start = this.emscripten._malloc(contents.length + 2 * GUARD_BYTES);
    new Uint8Array(this.memory, start, contents.length + 2 * GUARD_BYTES).fill(GUARD);
    new Uint8Array(this.memory).set(contents, start + GUARD_BYTES);
    this.blocks.push({ pointer: start + GUARD_BYTES, bytes: contents.length, expected });
    return start + GUARD_BYTES;
  }

  private verify(): void {
    this.blocks.forEach(({ pointer, bytes, expected }, index) => {
      const before = new Uint8Array(this.memory, pointer - GUARD_BYTES, GUARD_BYTES);
      const behind = new Uint8Array(this.memory, pointer + bytes, GUARD_BYTES);
      const untouched = before.every((byte) => byte === GUARD) && behind.every((byte) => byte === GUARD);
      expect(untouched, `the bytes around block ${index} are as they were`).toBe(true);
      if (expected !== undefined) {
        const same = Buffer.compare(expected, new Uint8Array(this.memory, pointer, bytes)) === 0;
        expect(same, `input ${index} is as it was`).toBe(true);
      }
    });
  }
}

/** Expects |actual - expected| <= allowed for every element; `allowed` may differ by element. */
export function expectWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  allowed: number | ArrayLike<number>,
  what = 'result',
): void {
  expect(actual.length, `${what}: number of elements`).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const limit = typeof allowed === 'number' ? allowed : allowed[i]!;
    if (!(Math.abs(actual[i]! - expected[i]!) <= limit)) {
      expect.fail(`${what}: element ${i} is ${actual[i]}, expected ${expected[i]} within ${limit}`);
    }
  }
}
