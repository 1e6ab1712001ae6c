import { scalar, tidy } from '@tensorflow/tfjs-core';
import { openDevice } from '@qlora-js/kernels';
import { memoryFiles } from '@qlora-js/hub';
import { expect, it } from 'vitest';
import { decodeStates, encodeStates } from '../checkpoints/state-files';
import { LossLog } from './loss-log';

it('goes on from a checkpoint after a step whose gradients overflowed', async () => {
  const device = await openDevice({ backend: 'cpu' });
  const log = new LossLog(true);
  const step = async (number: number, loss: number, norm: number): Promise<void> => {
    tidy(() => log.record(scalar(loss), scalar(norm), scalar(log.keep)));
    await log.counted(number);
  };
  await step(1, 2.5, 0.5);
  await step(2, 3.5, NaN);
  const states = await decodeStates(memoryFiles('checkpoint-2', encodeStates({ losses: await log.stateDict() })));
  const resumed = new LossLog(true);
  resumed.loadStateDict(states['losses'] as Awaited<ReturnType<LossLog['stateDict']>>);
  expect(await resumed.flush()).toEqual({ loss: 3, grad_norm: NaN });
  log.dispose();
  resumed.dispose();
  device.dispose();
});
