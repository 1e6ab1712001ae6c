import { tensor1d, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { expect, it, vi } from 'vitest';
import { gatherRows } from '../ops/gather-rows';
import { layerNorm } from '../ops/layer-norm';
import { normals } from '../testing';
import { describeWebgpu } from '../testing/webgpu';
import { plan } from '.';

describeWebgpu('shaders of a recorded function', (device) => {
  const specs = { x: { shape: [5, 12], dtype: 'float32' }, g: { shape: [12], dtype: 'float32' } } as const;
  const values = { x: normals(1, 60), g: normals(2, 12) };

  it('are compiled together before it runs, none while it is recorded, and each once', async () => {
    const gpuDevice = device().gpuDevice!;
    const one = vi.spyOn(gpuDevice, 'createComputePipeline');
    const many = vi.spyOn(gpuDevice, 'createComputePipelineAsync');
    const rows = tensor1d([3, 0], 'int32');
    const run = ({ x, g }: { x: Tensor; g: Tensor }): { y: Tensor; picked: Tensor } => ({
      y: layerNorm(x as Tensor2D, g as Tensor1D, g as Tensor1D),
      picked: gatherRows(x as Tensor2D, rows),
    });
    const step = plan(device(), run, specs);
    expect(one).not.toHaveBeenCalled();
    await Promise.all([step.compile(), step.compile()]);
    expect(many).toHaveBeenCalledTimes(2);
    step.run(values);
    expect(one).not.toHaveBeenCalled();
    expect(Array.from(await step.read('picked')).slice(0, 12)).toEqual(Array.from(values.x.slice(36, 48)));
    // Another plan of the same shaders finds them.
    const again = plan(device(), run, specs);
    await again.compile();
    expect(many).toHaveBeenCalledTimes(2);
    step.dispose();
    again.dispose();
    // And without being asked for they are compiled with the first run.
    const alone = plan(device(), ({ x }: { x: Tensor }) => gatherRows(x as Tensor2D, rows), {
      x: { shape: [5, 7], dtype: 'float32' },
    });
    alone.run({ x: normals(1, 35) });
    expect(one).toHaveBeenCalledTimes(1);
    expect((await alone.read('value'))[0]).toBe(normals(1, 35)[21]);
    alone.dispose();
    rows.dispose();
    vi.restoreAllMocks();
  });
});
