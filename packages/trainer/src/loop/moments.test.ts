import { openDevice } from '@qlora-js/kernels';
import { describe, expect, it } from 'vitest';
import type { TrainerCallback } from '../callbacks/callback';
import { tinyRun, type TinyRun } from '../testing/runs';

describe.each(['wasm', 'webgpu'] as const)('the moments of a step on %s', (backend) => {
  it.each([1, 2])('are when they say, and change no bit; window of %d', async (gradientAccumulationSteps) => {
    const device = await openDevice({ backend });
    const how: TinyRun = {
      args: {
        gradientAccumulationSteps,
        numTrainEpochs: 1,
        evalStrategy: 'no',
        loadBestModelAtEnd: false,
        loggingSteps: 1,
      },
      ...(backend === 'webgpu' ? { device } : {}),
    };
    const plain = await tinyRun(how);
    const events: string[] = [];
    const norms: number[] = [];
    const note = (event: string) => () => void events.push(event);
    const callback: TrainerCallback = {
      onStepBegin: note('begin'),
      onSubstepEnd: note('substep'),
      onPreOptimizerStep: async ({ gradients }) => {
        events.push('gradients');
        let squares = 0;
        for (const gradient of gradients.values()) {
          for (const value of await gradient.data()) squares += value * value;
        }
        // Those of the loss times the scale that the scaler starts from.
        norms.push(Math.sqrt(squares) / 65_536);
      },
      onOptimizerStep: note('optimizer'),
      onStepEnd: note('end'),
    };
    const watched = await tinyRun({ ...how, callbacks: [callback] });
    expect(watched.bits).toBe(plain.bits);
    const logged = watched.log.flatMap((row) => row['grad_norm'] ?? []);
    expect(norms).toHaveLength(logged.length);
    norms.forEach((norm, step) => expect(norm / logged[step]!).toBeCloseTo(1, 5));
    const substeps = Array.from({ length: gradientAccumulationSteps - 1 }, () => 'substep');
    expect(events.slice(0, 4 + substeps.length)).toEqual(['begin', ...substeps, 'gradients', 'optimizer', 'end']);
    // 24 rows, 5 a batch: five micro-batches, the last of which makes a window alone.
    expect(events.filter((event) => event === 'substep')).toHaveLength(gradientAccumulationSteps === 1 ? 0 : 2);
    device.dispose();
  });
});
