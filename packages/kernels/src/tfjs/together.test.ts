import {
  add,
  clone,
  memory,
  mul,
  tensor,
  tensor1d,
  tensor2d,
  variable,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { expect, it, vi } from 'vitest';
import { adamw8bitMaps, adamw8bitState, adamw8bitSteps } from '../ops/adamw8bit';
import { stepValues } from '../ops/adamw';
import { sumOfSquares } from '../ops/gradient-norm';
import { plan } from '../plan';
import { normals } from '../testing';
import { describeWebgpu } from '../testing/webgpu';
import { internalsOf, placeOf } from './backend';
import { ownData } from './in-place';
import { layTogether, together } from './together';

const attributes = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 };

const values = async (held: Tensor): Promise<number[]> => Array.from(await held.data<'float32' | 'int32'>());
const owned = (of: Float32Array): Variable => {
  const initial = tensor1d(of);
  const made = variable(initial, false);
  initial.dispose();
  return made;
};

describeWebgpu('tensors that lie together', (device) => {
  const places = (tensors: readonly Tensor[]) => {
    const backend = internalsOf(device().tfjsBackend);
    return tensors.map(({ dataId }) => placeOf(backend, dataId));
  };
  const buffersOf = (tensors: readonly Tensor[]) => new Set(places(tensors).map(({ buffer }) => buffer));

  it('keep their values, shapes and types, are read and used one by one, and end one by one', async () => {
    const before = memory();
    const [a, b, c] = together([tensor1d([1, 2, 3]), tensor2d([4, 5, 6, 7], [2, 2]), tensor1d([-8, 9], 'int32')]);
    expect(buffersOf([a!, b!, c!]).size).toBe(1);
    for (const { offset } of places([a!, b!, c!])) expect(offset % 256).toBe(0);
    expect([a!.shape, b!.shape, c!.dtype]).toEqual([[3], [2, 2], 'int32']);
    expect(await Promise.all([a!, b!, c!].map(values))).toEqual([
      [1, 2, 3],
      [4, 5, 6, 7],
      [-8, 9],
    ]);
    a!.dispose();
    // A buffer of the shared one's size that tfjs hands out now must be another one.
    const other = tensor1d(new Float32Array(3 * 64).fill(99));
    const [sum, product] = [add(b!, 1), mul(c!, c!)];
    expect(await Promise.all([sum, product, other].map(async (x) => (await values(x)).slice(0, 4)))).toEqual([
      [5, 6, 7, 8],
      [64, 81],
      [99, 99, 99, 99],
    ]);
    for (const held of [b!, c!, other, sum, product]) held.dispose();
    expect(memory().numTensors).toBe(before.numTensors);
    await device().synchronize();
    const { currentBytes } = device().memory();
    device().releaseUnused();
    expect(device().memory().currentBytes).toBe(currentBytes);
  });

  it('are read on the GPU and at once as they are read on the host', async () => {
    const { gpuDevice } = device();
    const [a, b] = together([tensor1d([1, 2, 3]), tensor2d([4, 5, 6, 7], [2, 2])]);
    const { tensorRef, buffer } = b!.dataToGPU();
    expect([tensorRef.shape, buffer!.size, await values(tensorRef)]).toEqual([[2, 2], 16, [4, 5, 6, 7]]);

    // tfjs reads at once through canvases, which Node has not: the texture holds the bytes that it takes.
    const textures: GPUTexture[] = [];
    const getCurrentTexture = (): GPUTexture => {
      const usage = GPUTextureUsage.COPY_SRC | GPUTextureUsage.COPY_DST;
      textures.push(gpuDevice!.createTexture({ size: [256, 1], format: 'bgra8unorm', usage }));
      return textures.at(-1)!;
    };
    const getImageData = (_x: number, _y: number, width: number, height: number) => ({
      data: new Uint8ClampedArray(4 * width * height),
    });
    const nothing = (): void => undefined;
    vi.stubGlobal(
      'OffscreenCanvas',
      class {
        getContext(kind: string): object {
          if (kind === 'webgpu') return { configure: nothing, getCurrentTexture };
          return { clearRect: nothing, drawImage: nothing, getImageData };
        }
      },
    );
    const warn = vi.spyOn(console, 'warn').mockImplementation(nothing);
    try {
      expect(b!.dataSync()).toHaveLength(4);
    } finally {
      warn.mockRestore();
      vi.unstubAllGlobals();
    }
    const staging = gpuDevice!.createBuffer({ size: 1024, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const encoder = gpuDevice!.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture: textures[0]! }, { buffer: staging, bytesPerRow: 1024 }, [4, 1]);
    gpuDevice!.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    expect(Array.from(new Float32Array(staging.getMappedRange(0, 16)))).toEqual([4, 5, 6, 7]);
    for (const held of [staging, ...textures]) held.destroy();
    for (const held of [a!, b!, tensorRef]) held.dispose();
  });

  it('come home where a variable was assigned something else, and leave what others have kept alone', async () => {
    const variables = [1, 2, 3].map((seed) => owned(normals(seed, 70 * seed)));
    layTogether(variables);
    const [home] = buffersOf(variables);
    const kept = clone(variables[1]!);
    const next = tensor1d(normals(9, 140));
    variables[1]!.assign(next);
    next.dispose();
    expect(buffersOf(variables).size).toBe(2);
    layTogether(variables);
    expect([...buffersOf(variables)]).toEqual([home]);
    expect(await values(variables[1]!)).toEqual(Array.from(normals(9, 140)));
    expect(await values(kept)).toEqual(Array.from(normals(2, 140)));
    expect(await values(variables[2]!)).toEqual(Array.from(normals(3, 210)));
    // All at once: nothing is left in the buffer that they had.
    for (const [seed, held] of variables.entries()) {
      const fresh = tensor1d(normals(20 + seed, held.size));
      held.assign(fresh);
      fresh.dispose();
    }
    layTogether(variables);
    expect(buffersOf(variables).size).toBe(1);
    for (const [seed, held] of variables.entries())
      expect(await values(held)).toEqual(Array.from(normals(20 + seed, held.size)));
    for (const held of [...variables, kept]) held.dispose();
  });

  it('are laid together anew where one was assigned another, or two have changed places', async () => {
    const [a, b, c] = [1, 2, 3].map((seed) => owned(normals(seed, 70))) as [Variable, Variable, Variable];
    layTogether([a, b, c]);
    const kept = clone(a);
    a.assign(b);
    for (const owning of [false, true]) {
      if (owning) ownData([a, b]);
      layTogether([a, b, c]);
      expect(buffersOf([a, b, c]).size).toBe(1);
      expect(new Set(places([a, b, c]).map(({ offset }) => offset)).size).toBe(3);
      expect(await Promise.all([a, b, c, kept].map(values))).toEqual(
        [2, 2, 3, 1].map((seed) => Array.from(normals(seed, 70))),
      );
      a.assign(b);
    }
    const [first, second] = [clone(b), clone(c)];
    b.assign(second);
    c.assign(first);
    for (const held of [first, second]) held.dispose();
    a.assign(kept);
    layTogether([a, b, c]);
    expect(buffersOf([a, b, c]).size).toBe(1);
    expect(await Promise.all([a, b, c, kept].map(values))).toEqual(
      [1, 3, 2, 1].map((seed) => Array.from(normals(seed, 70))),
    );
    for (const held of [a, b, c, kept]) held.dispose();
  });

  it('are stepped by a recorded optimiser as eagerly, also where a variable is assigned or kept between two runs', async () => {
    const sizes = [300, 5000, 64];
    const make = () => ({
      parameters: sizes.map((size, i) => owned(normals(i, size))),
      states: sizes.map((size) => adamw8bitState(size)),
      counter: owned(Float32Array.of(0)),
    });
    const maps = adamw8bitMaps();
    const runOf =
      ({ parameters, states, counter }: ReturnType<typeof make>) =>
      (inputs: Record<string, Tensor>) => {
        const gradients = together(sizes.map((_, i) => mul(inputs[`g${i}`]!, parameters[i]!)));
        const step = stepValues(0.1, counter, undefined, attributes);
        adamw8bitSteps(
          parameters.map((parameter, i) => ({ parameter, gradient: gradients[i]!, state: states[i]!, attributes })),
          maps,
          step,
        );
        const squares = sumOfSquares(gradients);
        for (const held of [...gradients, step]) held.dispose();
        return { squares };
      };
    const [eager, planned] = [make(), make()];
    const recorded = plan(
      device(),
      runOf(planned),
      Object.fromEntries(sizes.map((size, i) => [`g${i}`, { shape: [size], dtype: 'float32' as const }])),
    );
    // Three products, the step's values, the optimiser, the squares: the gradients are made where they lie.
    expect(recorded.dispatches).toBe(3 + 1 + 1 + 1);
    const clones: { held: Tensor; wanted: number[] }[] = [];
    for (const run of [0, 1, 2, 3]) {
      if (run === 1) clones.push({ held: clone(planned.parameters[1]!), wanted: await values(planned.parameters[1]!) });
      if (run >= 2) {
        // One variable, then every one of them.
        for (const i of run === 2 ? [0] : [0, 1, 2]) {
          for (const { parameters } of [eager, planned]) {
            const fresh = tensor1d(normals(50 + 10 * run + i, sizes[i]!));
            parameters[i]!.assign(fresh);
            fresh.dispose();
          }
        }
      }
      const inputs = Object.fromEntries(sizes.map((size, i) => [`g${i}`, normals(100 * run + i, size)]));
      recorded.run(inputs);
      const tensors = Object.fromEntries(Object.entries(inputs).map(([name, of]) => [name, tensor(of)]));
      const { squares } = runOf(eager)(tensors);
      expect(Array.from(await recorded.read('squares'))).toEqual(await values(squares));
      for (const held of [squares, ...Object.values(tensors)]) held.dispose();
      for (const key of ['parameters', 'states'] as const) {
        const found = await Promise.all(planned[key].map(values));
        expect(found, `${key} of run ${run}`).toEqual(await Promise.all(eager[key].map(values)));
      }
    }
    for (const { held, wanted } of clones) {
      expect(await values(held)).toEqual(wanted);
      held.dispose();
    }
    recorded.dispose();
    for (const { parameters, states, counter } of [eager, planned])
      for (const held of [...parameters, ...states, counter]) held.dispose();
    maps.tables.dispose();
  });
});
