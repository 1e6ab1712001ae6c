import { tensor, tidy, valueAndGrads, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { loraMatmul4bit } from '../ops/lora-matmul4bit';
import { randomWords } from '../random/dropout-stream';
import { normals, randomWeight } from '../testing';
import { emulateSubgroupMatrices } from '../testing/emulated-matrices';
import { describeWebgpu } from '../testing/webgpu';
import { plan } from '.';

const [ROWS, WIDTH, RANK] = [70, 128, 8] as const;

type Inputs = Record<'x' | 'a' | 'b' | 'dy' | 'random', Tensor>;

describeWebgpu('a recorded layer with LoRA on subgroup matrices, emulated,', (device) => {
  it('takes two passes forward and three back, bit-equal to eager with other inputs and masks each run', async () => {
    emulateSubgroupMatrices(device().gpuDevice!);
    const shape = { N: WIDTH, K: WIDTH, blocksize: 64, quantType: 'nf4', nested: false } as const;
    const { weight, dispose } = randomWeight(shape);
    const layer = ({ x, a, b, dy, random }: Inputs): Record<'y' | 'dx' | 'da' | 'db', Tensor> => {
      const dropout = (site: number) => ({ rate: 0.2, site, random: random as Tensor1D });
      const run = (...[input, factorA, factorB]: Tensor[]): Tensor =>
        loraMatmul4bit(input as Tensor2D, weight, {
          lora: { a: factorA as Tensor2D, b: factorB as Tensor2D, scaling: 2, dropout: dropout(1) },
          residual: { tensor: input as Tensor2D, dropout: dropout(2) },
        });
      const { value, grads } = valueAndGrads(run)([x, a, b], dy);
      const [dx, da, db] = grads as [Tensor, Tensor, Tensor];
      return { y: value, dx, da, db };
    };
    const float = (...sizes: number[]) => ({ shape: sizes, dtype: 'float32' as const });
    const specs = {
      x: float(ROWS, WIDTH),
      a: float(RANK, WIDTH),
      b: float(WIDTH, RANK),
      dy: float(ROWS, WIDTH),
      random: { shape: [4 + ROWS], dtype: 'int32' as const },
    };
    const step = plan(device(), layer, specs);
    // The residual's gradient and the layer's meet in x.
    expect(step.dispatches).toBe(5 + 1);
    const seen: Float32Array[] = [];
    for (const run of [0, 1]) {
      const values = {
        x: normals(10 + run, ROWS * WIDTH),
        a: normals(20 + run, RANK * WIDTH, 0.2),
        b: normals(30 + run, WIDTH * RANK, 0.2),
        dy: normals(40 + run, ROWS * WIDTH),
        random: randomWords({ seed: 3, step: run }, ROWS),
      };
      step.run(values);
      const tensors = Object.fromEntries(
        Object.entries(specs).map(([name, { shape: sizes, dtype }]) => [
          name,
          tensor(values[name as keyof typeof values], [...sizes], dtype),
        ]),
      ) as Inputs;
      const eager = tidy(() => layer(tensors));
      for (const name of ['y', 'dx', 'da', 'db'] as const) {
        const replayed = (await step.read(name)) as Float32Array;
        expect(replayed, name).toEqual(await eager[name].data());
        seen.push(replayed);
        eager[name].dispose();
      }
      for (const held of Object.values(tensors)) held.dispose();
    }
    // Not the same thing twice, nor nothing.
    seen.forEach((values) => expect(values.some((value) => value !== 0 && Number.isFinite(value))).toBe(true));
    expect(seen[0]).not.toEqual(seen[4]);
    step.dispose();
    dispose();
  });
});
