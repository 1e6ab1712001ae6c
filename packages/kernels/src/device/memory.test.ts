import {
  matMul,
  mul,
  ones,
  relu,
  square,
  tensor1d,
  tidy,
  variable,
  zeros,
  type Tensor,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { KernelError } from '../errors';
import { openDevice } from './open-device';
import { plan } from '../plan';
import { describeWebgpu } from '../testing/webgpu';

describeWebgpu('memory by owner', (device) => {
  it('counts buffers for who made the tensor, also where it is uploaded later, until they are given back', async () => {
    const weights = device().owner('weights', () => tensor1d(new Float32Array(1000)));
    const held = (name: string): number => device().memory().byOwner[name]?.currentBytes ?? 0;
    expect(held('weights')).toBe(0);
    const others = held('tensors');
    const result = relu(weights);
    expect(held('weights')).toBe(4000);
    expect(held('tensors')).toBe(others + 4000);
    weights.dispose();
    result.dispose();
    await device().synchronize();
    expect([held('weights'), held('tensors')]).toEqual([0, others]);
    expect(device().memory().byOwner['weights']!.peakBytes).toBe(4000);
    // tfjs hands the buffer that was the weights' to the next tensor of that size.
    const next = device().owner('states', () => relu(zeros([1000])));
    expect(held('states')).toBeGreaterThanOrEqual(4000);
    expect(held('weights')).toBe(0);
    next.dispose();
    await device().synchronize();
    expect(held('waiting for reuse')).toBeGreaterThan(0);
    const { allocatedBytes } = device().memory();
    const free = held('waiting for reuse');
    const { currentBytes } = device().memory();
    expect(currentBytes).toBe(allocatedBytes - free);
    device().releaseUnused();
    expect([held('waiting for reuse'), device().memory().allocatedBytes]).toEqual([0, allocatedBytes - free]);
    expect(device().memory().currentBytes).toBe(currentBytes);
    const again = relu(ones([1000]));
    expect((await again.data())[999]).toBe(1);
    again.dispose();
  });

  it('adds up to the buffers the device has made and not destroyed', () => {
    const { gpuDevice } = device();
    const before = device().memory();
    const buffer = device().owner('mine', () =>
      gpuDevice!.createBuffer({ size: 1 << 20, usage: GPUBufferUsage.STORAGE }),
    );
    const during = device().memory();
    expect(during.allocatedBytes).toBe(before.allocatedBytes + (1 << 20));
    expect(during.byOwner['mine']).toEqual({ currentBytes: 1 << 20, peakBytes: 1 << 20 });
    const sum = Object.values(during.byOwner).reduce((bytes, { currentBytes }) => bytes + currentBytes, 0);
    expect(sum).toBe(during.allocatedBytes);
    buffer.destroy();
    buffer.destroy();
    expect(device().memory().allocatedBytes).toBe(before.allocatedBytes);
    device().resetPeakMemory();
    expect(device().memory().peakAllocatedBytes).toBe(before.allocatedBytes);
  });

  it('counts a plan by what is allocated: nothing while it is recorded, its arena and buffers from then on', async () => {
    const tensors = device().owner('weights', () => ({ w: variable(ones([8, 16])), step: variable(zeros([1])) }));
    const layer = ({ x }: { x: Tensor }): Record<'y', Tensor> => {
      const y = matMul(x as Tensor2D, tensors.w as unknown as Tensor2D);
      return { y: relu(mul(square(y), y)) };
    };
    // Whatever was made before is uploaded, and what only waits for reuse is gone.
    tidy(() => layer({ x: ones([4, 8]) }));
    await device().synchronize();
    device().releaseUnused();
    device().resetPeakMemory();
    const before = device().memory();
    expect(before.byOwner['weights']!.currentBytes).toBe(4 * 8 * 16);

    const step = plan(device(), layer, { x: { shape: [4, 8], dtype: 'float32' } });
    // The recording made some kilobytes of tensors; none of them has memory.
    expect(device().memory().peakBytes).toBe(before.currentBytes);
    // 4 x 16 floats at a time of the product, of its square and of both; the output, and x and three uniform structs in
    // their 256 bytes each.
    expect(step.memory.arenaBytes).toBe(3 * 4 * 4 * 16);
    expect(step.memory.ownBytes).toBe(4 * 4 * 16 + 256 + 3 * 256);
    await step.allocate();
    const planned = before.currentBytes + step.memory.arenaBytes + step.memory.ownBytes;
    expect(device().memory().currentBytes).toBe(planned);
    step.run({ x: new Float32Array(32).fill(1) });
    await device().synchronize();
    expect(device().memory().peakBytes).toBe(planned);
    // tfjs knows of neither.
    expect(device().memory().tensorBytes).toBe(before.tensorBytes);
    step.dispose();
    expect(device().memory().currentBytes).toBe(before.currentBytes);
    for (const tensor of Object.values(tensors)) tensor.dispose();
  });

  it('nests scopes, and leaves them where the work throws', () => {
    const { gpuDevice } = device();
    const make = (): GPUBuffer => gpuDevice!.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE });
    const made: GPUBuffer[] = [];
    expect(() =>
      device().owner('outer', () => {
        made.push(device().owner('inner', make), make());
        throw new Error('no');
      }),
    ).toThrow('no');
    made.push(make());
    const { byOwner } = device().memory();
    expect([byOwner['outer']!.currentBytes, byOwner['inner']!.currentBytes]).toEqual([64, 64]);
    for (const buffer of made) buffer.destroy();
  });
});

describeWebgpu('a device that fails', () => {
  it('says that it is lost, and what to do, at the next call', async () => {
    const device = await openDevice({ backend: 'webgpu' });
    device.throwIfFailed();
    // What a driver's reset looks like from here: a loss that dispose() did not ask for.
    device.gpuDevice!.destroy();
    await device.gpuDevice!.lost;
    expect(() => device.throwIfFailed()).toThrow(
      expect.objectContaining({
        code: 'DEVICE_LOST',
        message: expect.stringMatching(/openDevice\(\).*checkpoint/) as string,
      }),
    );
    await expect(device.synchronize()).rejects.toBeInstanceOf(KernelError);
    device.dispose();
  });

  it('is no failure where it was disposed of', async () => {
    const device = await openDevice({ backend: 'webgpu' });
    device.dispose();
    await device.gpuDevice!.lost;
    expect(device.failure).toBeUndefined();
  });

  it('says that memory ran out', async () => {
    const device = await openDevice({ backend: 'webgpu' });
    const event = new Event('uncapturederror');
    Object.defineProperty(event, 'error', {
      value: Object.assign(Object.create(GPUOutOfMemoryError.prototype) as object, {}),
    });
    Object.defineProperty((event as unknown as { error: object }).error, 'message', { value: 'buffer of 9 GB' });
    device.gpuDevice!.dispatchEvent(event);
    expect(() => device.throwIfFailed()).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(/9 GB.*smaller batch, gradient checkpointing/) as string,
      }),
    );
    device.dispose();
  });
});
