import { openDevice, type Device } from '@qlora-js/kernels';
import type { PeftModel } from '@qlora-js/lora';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrainerCallback } from '../callbacks/callback';
import { MemoryCheckpoints } from '../checkpoints/store';
import { bitsOf, tinyRun, tinyTrainer } from '../testing/runs';
import { trainRecovering, type DeviceRun } from './recovering';

const args = { numTrainEpochs: 1 };

interface TinyDeviceRun extends DeviceRun<never> {
  readonly model: PeftModel;
}

type Listener = keyof TrainerCallback & `on${string}`;

/** Trains on devices that are destroyed at the moments named, one moment a start. */
function run(moments: readonly (Listener | undefined)[]) {
  const checkpoints = new MemoryCheckpoints();
  const steps: number[][] = [];
  const lines: string[] = [];
  const start = async (): Promise<TinyDeviceRun> => {
    const device = await openDevice({ backend: 'webgpu' });
    const moment = moments[steps.length];
    const done: number[] = [];
    steps.push(done);
    const destroying = moment && { [moment]: () => device.gpuDevice!.destroy() };
    const { trainer, model } = tinyTrainer({
      args,
      device,
      checkpoints,
      callbacks: [{ onStepEnd: ({ state }) => void done.push(state.globalStep) }, destroying ?? {}],
    });
    return {
      device,
      trainer: trainer as unknown as TinyDeviceRun['trainer'],
      model,
      dispose: () => {
        model.dispose();
        device.dispose();
      },
    };
  };
  return { steps, lines, result: trainRecovering({ start, log: (line) => void lines.push(line) }) };
}

describe('a GPU that is lost', () => {
  let whole: string;
  beforeAll(async () => {
    const device: Device = await openDevice({ backend: 'webgpu' });
    whole = (await tinyRun({ args, device })).bits;
    device.dispose();
  });

  it.each<[string, Listener]>([
    ['in the middle of a step', 'onPreOptimizerStep'],
    ['between two steps', 'onStepEnd'],
    ['in a save', 'onSave'],
    ['in an evaluation', 'onPredictionStep'],
  ])('%s is opened again, and the run comes to the same bits', async (_, moment) => {
    const { steps, lines, result } = run([moment, undefined]);
    const { run: last } = await result;
    expect(await bitsOf(last.model)).toBe(whole);
    expect(steps).toHaveLength(2);
    expect(steps.at(-1)!.at(-1)).toBe(3);
    expect(lines).toEqual([expect.stringMatching(/^the GPU was lost at step \d; opening it again, 1 of 3 times$/)]);
    await last.dispose();
  });

  it('is opened three times, and no more', async () => {
    const { steps, lines, result } = run(['onStepEnd', 'onPredictionStep', 'onStepEnd', 'onStepEnd', undefined]);
    await expect(result).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      message: expect.stringMatching(/lost 4 times.*go on from them with resumeFromCheckpoint: true/) as string,
    });
    expect([steps.length, lines.length]).toEqual([4, 3]);
  });

  it('is not taken for what another error is', async () => {
    const device = await openDevice({ backend: 'webgpu' });
    const start = async (): Promise<TinyDeviceRun> => {
      const callbacks = [
        {
          onStepEnd: () => {
            throw new RangeError('mine');
          },
        },
      ];
      const { trainer, model } = tinyTrainer({ args, device, callbacks });
      return {
        device,
        model,
        trainer: trainer as unknown as TinyDeviceRun['trainer'],
        dispose: () => device.dispose(),
      };
    };
    await expect(trainRecovering({ start })).rejects.toThrow(new RangeError('mine'));
  });
});
