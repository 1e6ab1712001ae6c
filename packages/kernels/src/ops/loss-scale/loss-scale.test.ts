import { tensor1d, variable } from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { describeBackends } from '../../testing';
import { lossScaleReference } from './reference';
import { updateLossScale } from '.';

const attributes = { growthFactor: 2, backoffFactor: 0.5, growthInterval: 2 };

describeBackends('updateLossScale', () => {
  const after = async (start: readonly [number, number, number], apply: number): Promise<number[]> => {
    const made = [tensor1d([start[0]]), tensor1d([start[1], start[2]])];
    const [scale, counts] = made.map((tensor) => variable(tensor, false)) as [
      ReturnType<typeof variable>,
      ReturnType<typeof variable>,
    ];
    const control = tensor1d([1, apply]);
    updateLossScale(scale, counts, control, attributes);
    const values = [...(await scale.data()), ...(await counts.data())];
    for (const held of [...made, scale, counts, control]) held.dispose();
    return values;
  };

  it('waits, grows and backs off as torch has it', async () => {
    expect(await after([8, 0, 3], 1)).toEqual([8, 1, 3]);
    expect(await after([8, 1, 3], 1)).toEqual([16, 0, 3]);
    expect(await after([8, 1, 3], 0)).toEqual([4, 0, 4]);
  });

  it('is the reference step after step', async () => {
    let [scale, tracker, skipped] = [2 ** 16, 0, 0];
    for (const apply of [1, 1, 1, 0, 1, 1, 0, 0, 1]) {
      const expected = lossScaleReference({ scale, tracker, skipped }, apply === 1, attributes);
      const found = await after([scale, tracker, skipped], apply);
      expect(found).toEqual([expected.scale, expected.tracker, expected.skipped]);
      [scale, tracker, skipped] = found as [number, number, number];
    }
    // Twice doubled, three times halved.
    expect([scale, skipped]).toEqual([2 ** 15, 3]);
  });

  it('stays where twice the scale is beyond float32', async () => {
    expect(await after([2 ** 127, 1, 0], 1)).toEqual([2 ** 127, 0, 0]);
    expect(await after([2 ** 126, 1, 0], 1)).toEqual([2 ** 127, 0, 0]);
  });
});
