import { clone, mul, scalar, square, sum, tensor1d, variable, variableGrads, type Scalar } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../device/device';
import { openDevice } from '../device/open-device';

describe.each(['wasm', 'cpu'] as const)('clones on %s', (backend) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice({ backend });
    // A second device of the name registers nothing twice.
    device.dispose();
    device = await openDevice({ backend });
  });
  afterAll(() => device.dispose());

  it('share the data, and outlive what they are clones of', async () => {
    const before = device.tfjsBackend.numDataIds();
    const x = tensor1d([1, 2, 3]);
    const copy = clone(x);
    expect(copy.dataId).toBe(x.dataId);
    expect(device.tfjsBackend.numDataIds()).toBe(before + 1);
    x.dispose();
    expect([...(await copy.data())]).toEqual([1, 2, 3]);
    copy.dispose();
    expect(device.tfjsBackend.numDataIds()).toBe(before);
  });

  it('see nothing of what a variable is assigned later, and pass gradients through', async () => {
    const x = variable(tensor1d([1, 2, 3]), true);
    const copy = clone(x);
    const next = tensor1d([4, 5, 6]);
    x.assign(next);
    next.dispose();
    expect([...(await copy.data())]).toEqual([1, 2, 3]);
    const { value, grads } = variableGrads(() => sum<Scalar>(mul(square(clone(x)), scalar(0.5))), [x]);
    expect([...(await grads[x.name]!.data())]).toEqual([4, 5, 6]);
    for (const tensor of [value, ...Object.values(grads), copy, x]) tensor.dispose();
  });
});
