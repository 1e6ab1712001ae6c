import type { DeviceMemory } from '@qlora-js/kernels';
import { expect, it } from 'vitest';
import { trainingArguments } from '../arguments/training-arguments';
import { newTrainerState } from '../state/trainer-state';
import type { CallbackContext, TrainerControl } from './callback';
import { OverfittingCallback, type OverfittingOptions } from './overfitting';
import { ProgressLineCallback } from './progress-line';

function context(globalStep: number): CallbackContext & { readonly control: TrainerControl } {
  return {
    args: trainingArguments({ outputDir: 'x', perDeviceTrainBatchSize: 4, gradientAccumulationSteps: 2 }),
    state: { ...newTrainerState(), globalStep, maxSteps: 100 },
    control: { shouldTrainingStop: false, shouldLog: false, shouldEvaluate: false, shouldSave: false },
  };
}

/** Feeds training and validation losses, and says at which steps the training was stopped. */
function watch(callback: OverfittingCallback, losses: readonly (readonly [number, number])[], from = 1): number[] {
  return losses.flatMap(([loss, evalLoss], index) => {
    const at = context(from + index);
    callback.onLog({ ...at, logs: { loss } });
    callback.onEvaluate({ ...at, metrics: { eval_loss: evalLoss } });
    return at.control.shouldTrainingStop ? [from + index] : [];
  });
}

const WIDENING: [number, number][] = [
  [1, 1],
  [0.8, 0.9],
  [0.6, 0.85],
  [0.5, 0.9],
  [0.4, 1],
];

const make = (options: OverfittingOptions = {}): { callback: OverfittingCallback; lines: string[] } => {
  const lines: string[] = [];
  return { lines, callback: new OverfittingCallback({ ...options, log: (line) => void lines.push(line) }) };
};

it('marks the step at which the gap has widened in three evaluations in a row, once', () => {
  const { callback, lines } = make();
  expect(watch(callback, WIDENING)).toEqual([]);
  expect(callback.markedStep).toBe(4);
  expect(lines).toEqual([
    expect.stringMatching(/^step 4: overfitting: the validation loss 0\.9000 .* training loss 0\.5000 in 3/),
  ]);
});

it('stops where it is told to, and not where the gap narrows in between', () => {
  expect(watch(make({ stop: true }).callback, WIDENING)).toEqual([4, 5]);
  const narrowing: [number, number][] = [
    [1, 1],
    [0.8, 0.9],
    [0.6, 0.85],
    [0.6, 0.7],
    [0.5, 0.9],
    [0.4, 0.9],
  ];
  expect(watch(make({ stop: true }).callback, narrowing)).toEqual([]);
  expect(watch(make({ stop: true, evaluations: 2 }).callback, narrowing)).toEqual([3, 6]);
});

it('goes on counting from a checkpoint', () => {
  const first = make().callback;
  watch(first, WIDENING.slice(0, 3));
  const second = make();
  second.callback.loadStateDict(first.stateDict());
  watch(second.callback, WIDENING.slice(3), 4);
  expect(second.callback.markedStep).toBe(4);
});

it('the progress line says what is to come, the estimate after five steps, and every row', () => {
  const lines: string[] = [];
  let clock = 0;
  const progress = new ProgressLineCallback({ log: (line) => void lines.push(line), now: () => clock });
  progress.onTrainBegin(context(10));
  for (let step = 11; step <= 16; step++) {
    clock += 1500;
    progress.onStepEnd(context(step));
  }
  progress.onLog({ ...context(16), logs: { loss: 0.123456, learning_rate: 1e-5, epoch: 2, step: 16 } });
  expect(lines).toEqual([
    'training 90 steps of 8 rows after 10',
    '1.5 s a step: some 3 min more, evaluations not counted',
    'step 16/100  loss 0.1235  learning_rate 1.000e-5  epoch 2',
  ]);
});

it('the progress line says what memory is held, against what there is', () => {
  const lines: string[] = [];
  const memory = { currentBytes: 3 * 2 ** 20, peakBytes: 5 * 2 ** 20 } as DeviceMemory;
  const log = (line: string): void => void lines.push(line);
  const now = (): number => 0;
  const progressOn = (backend: 'wasm' | 'webgpu', available: () => number | undefined): ProgressLineCallback =>
    new ProgressLineCallback({ log, now, available, device: { backend, memory: () => memory } });
  progressOn('wasm', () => 2 ** 30).onTrainBegin(context(0));
  progressOn('wasm', () => undefined).onTrainBegin(context(0));
  const gpu = progressOn('webgpu', () => 2 ** 30);
  gpu.onTrainBegin(context(0));
  for (let step = 1; step <= 5; step++) gpu.onStepEnd(context(step));
  expect(lines).toEqual([
    'training 100 steps of 8 rows; the model holds 3.0 MiB, 1.000 GiB are free',
    'training 100 steps of 8 rows; the model holds 3.0 MiB',
    "training 100 steps of 8 rows; the model holds 3.0 MiB of the GPU's memory",
    '0.0 s a step: some 0 s more, evaluations not counted; at most 5.0 MiB so far',
  ]);
});
