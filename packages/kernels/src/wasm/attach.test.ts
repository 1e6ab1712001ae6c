import { readFile } from 'node:fs/promises';
import { fill, matMul, removeBackend, tensor2d } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileKernels, generatedFile, generatedSource } from '../../../../tools/wasm/compile.mjs';
import { attachWasmKernels } from './attach';
import { wasmKernelsBase64, wasmRelaxedProductsBase64 } from './module.generated';
import { openKernels, type TestedKernels } from './test-heap';

describe('the WebAssembly modules', () => {
  it('are what packages/kernels/assembly compiles to', async () => {
    const expected = generatedSource(await compileKernels());
    expect(await readFile(generatedFile, 'utf8'), 'run node tools/wasm/build.mjs').toBe(expected);
  });

  it.each([wasmKernelsBase64, wasmRelaxedProductsBase64])(
    'bring no memory, data, globals or tables of their own',
    (base64) => {
      // Sections as the WebAssembly specification numbers them: 1 types, 2 imports, 3 functions, 7 exports, 10 code.
      expect(sectionIds(Buffer.from(base64, 'base64'))).toEqual([1, 2, 3, 7, 10]);
    },
  );

  it('import the memory alone and export functions alone', () => {
    const module = new WebAssembly.Module(Buffer.from(wasmKernelsBase64, 'base64'));
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    expect(new Set(WebAssembly.Module.exports(module).map(({ kind }) => kind))).toEqual(new Set(['function']));
  });
});

describe('attachWasmKernels', () => {
  let tested: TestedKernels;
  beforeAll(async () => {
    tested = await openKernels();
  });

  it('instantiates once a backend', () => {
    expect(attachWasmKernels(tested.backend)).toBe(tested.kernels);
  });

  it('takes the products from the relaxed module where the engine knows it', () => {
    const known = WebAssembly.validate(Buffer.from(wasmRelaxedProductsBase64, 'base64'));
    expect(tested.kernels.relaxedSimd).toBe(known);
  });

  it('works on tensors in place, also after the heap has grown', async () => {
    const { kernels } = tested;
    const a = tensor2d([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const b = tensor2d([
      [1, 0],
      [0, 1],
      [2, 2],
    ]);
    const c = fill([2, 2], 0);
    const heap = (): number => (tested.backend.wasm as unknown as { HEAPU8: Uint8Array }).HEAPU8.length;
    const before = heap();
    const large = fill([1024, 1024, 32], 1);
    expect(heap()).toBeGreaterThan(before);
    const scratch = kernels.scratch(kernels.gemmScratchBytes(0));
    kernels.gemm(0, 0, 2, 2, 3, 1, kernels.pointer(a), 3, kernels.pointer(b), 2, 0, kernels.pointer(c), 2, 0, scratch);
    expect(Array.from(await c.data())).toEqual(Array.from(await matMul(a, b).data()));
    large.dispose();
  });

  it('hands out one aligned scratch that grows', () => {
    const { kernels } = tested;
    const small = kernels.scratch(100);
    expect(small % 64).toBe(0);
    expect(kernels.scratch(50)).toBe(small);
    const large = kernels.scratch(10_000_000);
    expect(large % 64).toBe(0);
    expect(kernels.scratch(100)).toBe(large);
  });

  it('names what is missing: room, an unshared memory, a live backend', () => {
    const { kernels } = tested;
    expect(() => kernels.scratch(4_294_000_000)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
    const shared = { wasm: { asm: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }) } } };
    expect(() => attachWasmKernels(shared as unknown as BackendWasm)).toThrow(
      expect.objectContaining({
        code: 'NO_FEATURE',
        message: expect.stringContaining('WASM_HAS_MULTITHREAD_SUPPORT') as string,
      }),
    );
    removeBackend('wasm');
    expect(() => kernels.scratch(1)).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });
});

function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length;) {
    ids.push(bytes[at++]!);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += size;
  }
  return ids;
}
