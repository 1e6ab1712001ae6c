import type { Device, DeviceMemory } from '@qlora-js/kernels';
import { expect, it } from 'vitest';
import { newTrainerState, type LogRow } from '../state/trainer-state';
import { SpeedMemCallback } from './speed-memory';

it("logs each epoch's peak of what the device has in use, from the epoch's beginning on", async () => {
  const memory = { peakBytes: 3 * 2 ** 30, currentBytes: 2 ** 30, tensorBytes: 7, allocatedBytes: 2 ** 33 };
  const device = {
    synchronize: async () => undefined,
    resetPeakMemory: () => void (memory.peakBytes = memory.currentBytes),
    memory: () => memory as DeviceMemory,
  } as Device;
  let clock = 0;
  const rows: LogRow[] = [];
  const callback = new SpeedMemCallback({
    device,
    approxTrainTokens: 500,
    now: () => clock,
    log: (_line, row) => rows.push(row),
  });
  const state = newTrainerState();
  const context = { state } as never;
  callback.onTrainBegin();
  await callback.onEpochBegin(context);
  memory.peakBytes = 347_016;
  Object.assign(state, { epoch: 1, numInputTokensSeen: 100 });
  clock = 2000;
  await callback.onEpochEnd(context);
  expect(rows).toEqual([
    {
      epoch: 1,
      epoch_time_sec: 2,
      tokens_per_sec_est: 250,
      real_tokens_per_sec: 50,
      gpu_max_mem_allocated_GiB: 347_016 / 2 ** 30,
    },
  ]);
  await callback.onEpochBegin(context);
  await callback.onEpochEnd(context);
  expect(rows[1]!.gpu_max_mem_allocated_GiB).toBe(1);
});
