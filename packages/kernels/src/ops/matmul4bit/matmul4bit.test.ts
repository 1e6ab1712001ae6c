import {
  grad,
  grads,
  memory,
  mul,
  sum,
  tensor1d,
  tensor2d,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { QUANT_TYPES } from '../../formats/codes';
import {
  describeBackends,
  expectClose,
  expectDerivative,
  forAll,
  normals,
  randomWeight,
  runPoisoned,
} from '../../testing';
import { matmul4bitReference } from './reference';
import { matmul4bit } from '.';

// Odd extents (rows that are no whole words) and those around the tiles.
const extent = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 17, 24, 64, 65, 72, 128, 130));

const cases = fc.record({
  rows: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(16, 17, 65)),
  N: extent,
  K: extent,
  blocksize: fc.constantFrom(32, 64, 256, 4096),
  quantType: fc.constantFrom(...QUANT_TYPES),
  nested: fc.boolean(),
  withBias: fc.boolean(),
});

describeBackends(
  'matmul4bit',
  (backend) => {
    // Subgroup matrices have float16 factors.
    const tolerance = {
      get relative() {
        return backend.matrices ? 2e-3 : 1e-5;
      },
    };

    it('multiplies on whole tiles and on parts of one, both ways, with a shared depth and without', async () => {
      for (const [rows, N, K, nested] of [
        [9, 128, 64, true],
        [63, 64, 128, false],
        [70, 128, 192, true],
        [130, 64, 64, false],
        [33, 64, 1024, true],
      ] as const) {
        const { weight, dense, dispose } = randomWeight({ N, K, blocksize: 64, quantType: 'nf4', nested });
        const [xs, biases, dys] = [normals(5, rows * K), normals(6, N), normals(7, rows * N)];
        const [x, bias, dy] = [tensor2d(xs, [rows, K]), tensor1d(biases), tensor2d(dys, [rows, N])];
        const results = await runPoisoned(backend, () => [
          matmul4bit(x, weight, { bias }),
          matmul4bit(dy, weight, { transposed: true }),
        ]);
        const expected = matmul4bitReference(xs, dense, [N, K], { bias: biases });
        await expectClose('matmul4bit', backend, results[0]!, expected, tolerance);
        const backward = matmul4bitReference(dys, dense, [N, K], { transposed: true });
        await expectClose('matmul4bit transposed', backend, results[1]!, backward, tolerance);
        for (const held of [x, bias, dy]) held.dispose();
        dispose();
      }
    });

    it('multiplies by the dense reference both ways, with the gradients of x and the bias', async () => {
      await forAll(
        cases,
        async ({ rows, withBias, ...weightCase }) => {
          const { N, K } = weightCase;
          const { weight, dense, dispose } = randomWeight(weightCase);
          const [xs, biases, dys] = [normals(5, rows * K), normals(6, N), normals(7, rows * N)];
          const x = tensor2d(xs, [rows, K]);
          const bias = tensor1d(biases);
          const dy = tensor2d(dys, [rows, N]);
          const run = (input: Tensor, added: Tensor) =>
            matmul4bit(input as Tensor2D, weight, withBias ? { bias: added as Tensor1D } : {});
          const results = await runPoisoned(backend, () => [
            run(x, bias),
            matmul4bit(dy, weight, { transposed: true }),
            ...(withBias
              ? grads((input: Tensor, added: Tensor) => sum(mul(run(input, added), dy)))([x, bias])
              : grads((input: Tensor) => sum(mul(run(input, bias), dy)))([x])),
            grad((input: Tensor) => sum(mul(matmul4bit(input as Tensor2D, weight, { transposed: true }), x)))(dy),
          ]);
          const forward = (bias?: ArrayLike<number>) => matmul4bitReference(xs, dense, [N, K], bias && { bias });
          const backward = matmul4bitReference(dys, dense, [N, K], { transposed: true });
          await expectClose('matmul4bit', backend, results[0]!, forward(withBias ? biases : undefined), tolerance);
          await expectClose('matmul4bit transposed', backend, results[1]!, backward, tolerance);
          await expectClose('matmul4bit by x', backend, results[2]!, backward, tolerance);
          await expectClose('matmul4bit by x', backend, results.at(-1)!, forward(), tolerance);
          if (withBias) {
            const columnSums = Float64Array.from({ length: N }, (_, n) => {
              let total = 0;
              for (let row = 0; row < rows; row++) total += dys[row * N + n]!;
              return total;
            });
            await expectClose('matmul4bit by bias', backend, results[3]!, columnSums, tolerance);
          }
          for (const held of [x, bias, dy]) held.dispose();
          dispose();
        },
        // Each may compile shaders.
        backend.name === 'webgpu' ? 10 : 24,
      );
    });

    it('never gives the weight a gradient, and keeps no dense one between forward and backward', () => {
      const { weight, dispose } = randomWeight({ N: 64, K: 64, blocksize: 64, quantType: 'nf4', nested: true });
      const x = tensor2d(normals(1, 128), [2, 64]);
      const { packed, state } = weight;
      for (const part of [packed, state.absmax, state.code, state.state2!.absmax, state.offset!]) {
        expect(() => grads((_part: Tensor) => sum(matmul4bit(x, weight)))([part])).toThrow(
          /Cannot backprop through input/,
        );
      }
      const before = memory().numBytes;
      let held = 0;
      const dx = grad((input: Tensor) => {
        const y = matmul4bit(input as Tensor2D, weight);
        held = memory().numBytes - before;
        return sum(y);
      })(x);
      // The product, its saved inputs (clones share their data), and less than the 16 KiB of the dense weight.
      expect(held).toBeLessThan(4 * 64 * 64);
      dx.dispose();
      x.dispose();
      dispose();
    });

    it.skipIf(backend.name !== 'webgpu')('adds the bias apart where a device binds eight storage buffers', async () => {
      const { weight, dense, dispose } = randomWeight({ N: 40, K: 48, blocksize: 64, quantType: 'nf4', nested: true });
      const [xs, biases] = [normals(5, 3 * 48), normals(6, 40)];
      const x = tensor2d(xs, [3, 48]);
      const bias = tensor1d(biases);
      const { gpuDevice } = backend.device;
      const { limits } = gpuDevice!;
      const few = vi.spyOn(gpuDevice!, 'limits', 'get').mockReturnValue(
        new Proxy(limits, {
          get: (target, name) =>
            name === 'maxStorageBuffersPerShaderStage' ? 8 : target[name as keyof GPUSupportedLimits],
        }),
      );
      const y = matmul4bit(x, weight, { bias });
      few.mockRestore();
      await expectClose(
        'matmul4bit',
        backend,
        y,
        matmul4bitReference(xs, dense, [40, 48], { bias: biases }),
        tolerance,
      );
      for (const held of [x, bias, y]) held.dispose();
      dispose();
    });

    it('refuses what does not fit, naming both', () => {
      const { weight, dispose } = randomWeight({ N: 4, K: 8, blocksize: 32, quantType: 'fp4', nested: false });
      const x = tensor2d(normals(1, 8), [2, 4]);
      expect(() => matmul4bit(x, weight)).toThrow('matmul4bit: x has shape [2, 4], but [?, 8] is needed');
      expect(() => matmul4bit(x, weight, { transposed: true, bias: tensor1d([1, 2]) })).toThrow(
        /bias has shape \[2\], but \[8\]/,
      );
      x.dispose();
      dispose();
    });
  },
  { matrices: true },
);

it('has the derivative of its reference', () => {
  const dense = normals(1, 12);
  const dy = normals(2, 8);
  const value = (x: Float64Array) =>
    matmul4bitReference(x, dense, [4, 3]).reduce((total, y, i) => total + y * dy[i]!, 0);
  expectDerivative(value, normals(3, 6), matmul4bitReference(dy, dense, [4, 3], { transposed: true }));
});
