import type { Device } from '@qlora-js/kernels';
import type { CallbackContext } from '@qlora-js/trainer';
import { expect, it } from 'vitest';
import { SILENT } from '../run/output';
import { ProgressCallback } from './progress-callback';

const context = (state: Partial<CallbackContext['state']>): CallbackContext => ({ state }) as CallbackContext;

it('shows loss, real tokens a second from the first step on, F1, memory and rate, and an evaluation beside them', () => {
  const shown: string[] = [];
  const stopped: string[] = [];
  let now = 0;
  const callback = new ProgressCallback({
    output: {
      ...SILENT,
      bar: (label, total) => ({
        update: (done, ...notes) => void shown.push([label, `${done}/${total}`, ...notes].join('  ')),
        stop: () => void stopped.push(label),
      }),
    },
    label: 'trial 2',
    device: { memory: () => ({ currentBytes: 2 ** 29 }) as ReturnType<Device['memory']> },
    now: () => now,
  });
  callback.onTrainBegin(context({ globalStep: 0, maxSteps: 4 }));
  now = 5000;
  callback.onStepEnd(context({ globalStep: 1, numInputTokensSeen: 1000 }));
  callback.onLog({ ...context({}), logs: { loss: 1.5, learning_rate: 1e-4 } });
  callback.onPredictionStep({ ...context({}), done: 1, total: 2 });
  callback.onPredictionStep({ ...context({}), done: 2, total: 2 });
  callback.onLog({ ...context({}), logs: { eval_f1: 0.25 } });
  now = 7000;
  callback.onStepEnd(context({ globalStep: 2, numInputTokensSeen: 1600 }));
  callback.onTrainEnd();
  expect(shown).toEqual([
    'trial 2  1/4',
    'evaluate  1/2',
    'evaluate  2/2',
    'trial 2  2/4  loss 1.5000  300 tokens/s  eval_f1 0.2500  0.50 GiB  lr 1.00e-4',
  ]);
  expect(stopped).toEqual(['evaluate', 'trial 2']);
});
