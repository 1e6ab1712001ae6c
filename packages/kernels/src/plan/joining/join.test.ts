import { add, tensor, tidy, valueAndGrads, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { Device } from '../../device/device';
import { gatherRows } from '../../ops/gather-rows';
import { layerNorm } from '../../ops/layer-norm';
import { loraMatmul4bit } from '../../ops/lora-matmul4bit';
import { loraWeightGradients } from '../../ops/lora-matmul4bit/weight-gradients';
import { matmul4bit } from '../../ops/matmul4bit';
import { randomWords } from '../../random/dropout-stream';
import { normals, randomWeight } from '../../testing';
import { emulateSubgroupMatrices } from '../../testing/emulated-matrices';
import { describeWebgpu } from '../../testing/webgpu';
import { compileProgram } from '../program';
import { record, type TensorSpecs } from '../recording';
import { plan } from '..';
import { joinDispatches } from './join';

type Run = (inputs: Record<string, Tensor>) => Record<string, Tensor>;

const float = (...shape: number[]) => ({ shape, dtype: 'float32' as const });
const ints = (...shape: number[]) => ({ shape, dtype: 'int32' as const });

/** Names of a function's dispatches once they are joined. */
function namesOf(device: Device, run: Run, specs: TensorSpecs): string[] {
  const program = compileProgram(record(device, run, specs), (commands) => joinDispatches(device.gpuDevice!, commands));
  return program.commands.map((command) => (command.kind === 'copy' ? 'copy' : command.label.split(' {')[0]!));
}

/** Runs a recorded function and the same eagerly: not a bit may differ. */
async function expectSame(
  device: Device,
  run: Run,
  values: Record<string, Float32Array | Int32Array>,
  specs: TensorSpecs,
) {
  const step = plan(device, run, specs);
  step.run(values);
  const tensors = Object.fromEntries(
    Object.entries(specs).map(([name, { shape, dtype }]) => [name, tensor(values[name]!, [...shape], dtype)]),
  );
  const eager = tidy(() => run(tensors));
  for (const [name, wanted] of Object.entries(eager)) {
    const found = await step.read(name);
    expect(found, name).toEqual(await wanted.data());
    expect(found.some((value) => value !== 0 && Number.isFinite(value))).toBe(true);
  }
  for (const held of [...Object.values(eager), ...Object.values(tensors)]) held.dispose();
  step.dispose();
}

describeWebgpu('joined dispatches', (device) => {
  it('run little work beside other work, and beside nothing that it needs or that needs it', async () => {
    const specs = { x: float(6, 8), y: float(5, 3), rows: ints(4) };
    const rows = Int32Array.of(3, 1, 0, 4);
    const values = { x: normals(1, 48), y: normals(2, 15), rows };
    const apart: Run = ({ x, y, rows: at }) => ({
      a: gatherRows(x as Tensor2D, at as Tensor1D),
      b: gatherRows(y as Tensor2D, at as Tensor1D),
    });
    expect(namesOf(device(), apart, specs)).toEqual(['gatherRows + gatherRows']);
    await expectSame(device(), apart, values, specs);
    // A GPU is busy with so many rows of either.
    const many = { ...specs, rows: ints(2100) };
    expect(namesOf(device(), apart, many)).toEqual(['gatherRows', 'gatherRows']);
    const inTurn: Run = ({ x, rows: at }) => {
      const a = gatherRows(x as Tensor2D, at as Tensor1D);
      return { a, b: gatherRows(add(a, 1), at as Tensor1D) };
    };
    const names = namesOf(device(), inTurn, specs);
    expect(names.filter((name) => name === 'gatherRows')).toHaveLength(2);
  });

  it('sum a product’s parts in the norm that reads them, forward and back', async () => {
    const [rows, width, rank] = [40, 64, 8];
    const { weight, dispose } = randomWeight({ N: width, K: width, blocksize: 64, quantType: 'nf4', nested: true });
    const gamma = normals(7, width);
    const specs = {
      ...{ x: float(rows, width), a: float(rank, width), b: float(width, rank), dy: float(rows, width) },
      ...{ gamma: float(width), random: ints(4 + rows) },
    };
    const run: Run = ({ x, a, b, dy, gamma: g, random }) => {
      const dropout = (site: number) => ({ rate: 0.2, site, random: random as Tensor1D });
      const layer = (input: Tensor, factorA: Tensor, factorB: Tensor): Tensor => {
        const normalised = layerNorm(input as Tensor2D, g as Tensor1D, g as Tensor1D);
        const sum = loraMatmul4bit(normalised, weight, {
          lora: { a: factorA as Tensor2D, b: factorB as Tensor2D, scaling: 2, dropout: dropout(1) },
          residual: { tensor: input as Tensor2D, dropout: dropout(2) },
        });
        return layerNorm(sum, g as Tensor1D, g as Tensor1D);
      };
      const { value, grads } = valueAndGrads(layer)([x!, a!, b!], dy);
      const [dx, da, db] = grads as [Tensor, Tensor, Tensor];
      return { value, dx, da, db };
    };
    const names = namesOf(device(), run, specs);
    expect(names.filter((name) => name === 'split sum + layerNorm')).toHaveLength(1);
    expect(names.filter((name) => name === 'split sum + layerNorm backward')).toHaveLength(1);
    await expectSame(
      device(),
      run,
      {
        ...{ x: normals(1, rows * width), a: normals(2, rank * width), b: normals(3, rank * width), gamma },
        ...{ dy: normals(4, rows * width), random: randomWords({ seed: 1, step: 2 }, rows) },
      },
      specs,
    );
    dispose();
  });
});

describeWebgpu('dispatches on subgroup matrices, emulated,', (device) => {
  it('that work on tiles run beside nothing, but a weight becomes float16 beside a norm', async () => {
    emulateSubgroupMatrices(device().gpuDevice!);
    const [rows, width, rank] = [70, 1024, 16];
    const { weight, dispose } = randomWeight({ N: 64, K: width, blocksize: 64, quantType: 'nf4', nested: false });
    const specs = {
      ...{ x: float(rows, width), g: float(width) },
      ...{ inner: float(2, rows, rank), dInner: float(2, rows, rank) },
    };
    const run: Run = ({ x, g, inner, dInner }) => {
      const normalised = layerNorm(x as Tensor2D, g as Tensor1D, g as Tensor1D);
      const { a, b } = loraWeightGradients(
        { x: x!, dy: x!, inner: inner!, dInner: dInner!, keepBits: undefined },
        { activation: 'gelu_tanh', scaling: 2, keepScale: 1 },
      );
      return { a, b, y: matmul4bit(normalised, weight) };
    };
    const names = namesOf(device(), run, specs);
    expect(names).toContain('lora weight gradients matrix');
    expect(names).toContain('matmul4bit matrix');
    expect(names).toContain('layerNorm + weight to float16');
    const values = {
      ...{ x: normals(1, rows * width), g: normals(2, width) },
      ...{ inner: normals(3, 2 * rows * rank), dInner: normals(4, 2 * rows * rank) },
    };
    await expectSame(device(), run, values, specs);
    dispose();
  });
});
