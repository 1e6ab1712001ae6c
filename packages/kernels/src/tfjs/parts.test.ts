import { add, engine, memory } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { describeBackends } from '../testing';
import { tensorFromParts } from './parts';

describeBackends('tensorFromParts', () => {
  it('puts parts of one memory in their order, and is a tensor like others', async () => {
    const before = memory().numTensors;
    const scratch = new Float32Array(4);
    function* parts(): Iterable<Float32Array> {
      for (let start = 0; start < 10; start += 4) {
        const part = scratch.subarray(0, Math.min(4, 10 - start));
        part.forEach((_, i) => (part[i] = start + i));
        yield part;
        // What is written to the memory afterwards is not the tensor's.
        part.fill(-1);
      }
    }
    const tensor = tensorFromParts([2, 5], parts());
    const sum = add(tensor, tensor);
    expect(tensor.shape).toEqual([2, 5]);
    expect([...(await sum.data())]).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    expect([...(await tensor.data())]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    tensor.dispose();
    sum.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('leaves nothing of a tensor whose parts end in an error', () => {
    const held = (): number => engine().backend.numDataIds();
    const before = held();
    function* parts(): Iterable<Float32Array> {
      yield new Float32Array(8);
      throw new RangeError('a value that is none');
    }
    expect(() => tensorFromParts([2, 8], parts())).toThrow('a value that is none');
    expect(held()).toBe(before);
  });
});
