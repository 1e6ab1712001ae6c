import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { scalar, tensor1d, tensor2d, valueAndGrad, type Tensor2D } from '@tensorflow/tfjs-core';
import { crossEntropy, openDevice } from '@qlora-js/kernels';
import { describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../tools/test/golden';
import { GoldenTensors } from '../../../../tools/test/safetensors';
import { tinyRun, tinyTrainer } from '../testing/runs';
import { smoothedCrossEntropy, weightedBinaryCrossEntropy, weightedCrossEntropy, type ComputeLoss } from './losses';
import { PROBLEM_LOSSES } from './problem-losses';

const { losses } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../test/golden-trainer.json', import.meta.url)), 'utf8'),
) as {
  losses: {
    logits: number[];
    labels: number[];
    weights: number[];
    results: Record<string, { loss: number; gradient: number[] }>;
  };
};

describe.each(['cpu', 'wasm', 'webgpu'] as const)('losses on %s', (backend) => {
  it.each([
    ['smoothed 0.2', smoothedCrossEntropy(0.2)],
    ['weighted', weightedCrossEntropy(losses.weights)],
  ] as const)("%s: transformers' and torch's value and gradient", async (name, compute: ComputeLoss) => {
    const device = await openDevice({ backend });
    const labels = tensor1d(losses.labels, 'int32');
    const { value, grad } = valueAndGrad((logits) => {
      const loss = crossEntropy(logits as Tensor2D, labels);
      const batch = { labels, batchSize: 4, dispose: () => undefined };
      return compute({ logits: logits as Tensor2D, loss }, batch);
    })(tensor2d(losses.logits, [4, 3]));
    const wanted = losses.results[name]!;
    expect((await value.data())[0]).toBeCloseTo(wanted.loss, 5);
    (await grad.data()).forEach((slope, i) => expect(slope).toBeCloseTo(wanted.gradient[i]!, 5));
    device.dispose();
  });
});

describe.each(['cpu', 'wasm', 'webgpu'] as const)('losses of several labels and of numbers on %s', (backend) => {
  const golden = new GoldenTensors(goldenPath('tasks/losses.safetensors'));
  const [values, given, weights] = ['logits', 'labels', 'weights'].map((name) => golden.floats(name));

  it.each([
    ['bce', ({ logits }, { labels }) => PROBLEM_LOSSES.multi_label_classification(logits, labels)],
    ['bce weighted', weightedBinaryCrossEntropy([...weights!])],
    ['mse', ({ logits }, { labels }) => PROBLEM_LOSSES.regression(logits, labels)],
  ] as [string, ComputeLoss][])("%s: torch's value and gradient", async (name, compute) => {
    const device = await openDevice({ backend });
    const labels = tensor2d(given!, [5, 3]);
    const { value, grad } = valueAndGrad((logits) => {
      const batch = { labels, batchSize: 5, dispose: () => undefined };
      return compute({ logits: logits as Tensor2D, loss: scalar(NaN) }, batch);
    })(tensor2d(values!, [5, 3]));
    const wanted = golden.floats(`${name}.loss`)[0]!;
    expect((await value.data())[0]! / wanted).toBeCloseTo(1, 5);
    const gradient = golden.floats(`${name}.gradient`);
    (await grad.data()).forEach((slope, i) =>
      expect(slope / (gradient[i]! || 1)).toBeCloseTo(gradient[i] === 0 ? 0 : 1, 4),
    );
    device.dispose();
  });
});

it('has the gradient of a half at a logit of 0, where a new head may begin', async () => {
  const device = await openDevice({ backend: 'cpu' });
  const labels = tensor2d([1, 0], [1, 2]);
  const { grad } = valueAndGrad((logits) => PROBLEM_LOSSES.multi_label_classification(logits as Tensor2D, labels))(
    tensor2d([0, 0], [1, 2]),
  );
  expect([...(await grad.data())]).toEqual([-0.25, 0.25]);
  device.dispose();
});

it('trains by a loss of the options, recorded as a plan to the same losses', async () => {
  const args = { numTrainEpochs: 1, loggingSteps: 1, evalSteps: 3, saveSteps: 3 };
  const losses_: Record<string, number[]> = {};
  for (const backend of ['wasm', 'webgpu'] as const) {
    const device = await openDevice({ backend });
    for (const labelSmoothingFactor of [0, 0.3]) {
      const { log } = await tinyRun({ args: { ...args, labelSmoothingFactor }, device });
      losses_[`${backend} ${labelSmoothingFactor}`] = log.flatMap((row) => row['loss'] ?? row['eval_loss'] ?? []);
    }
    device.dispose();
  }
  expect(losses_['wasm 0']).toHaveLength(4);
  for (const factor of [0, 0.3]) {
    losses_[`webgpu ${factor}`]!.forEach((loss, i) => expect(loss).toBeCloseTo(losses_[`wasm ${factor}`]![i]!, 3));
  }
  expect(losses_['wasm 0.3']![0]).not.toBeCloseTo(losses_['wasm 0']![0]!, 3);
});

it('refuses class weights that are none, or of other classes, and a loss that replicas would not have', async () => {
  expect(() => weightedCrossEntropy([1, -1])).toThrow(/positive numbers, one a class, but there is -1/);
  expect(() => weightedCrossEntropy([])).toThrow(/there is none/);
  expect(() => weightedBinaryCrossEntropy([1, 0])).toThrow(/positive numbers, one a label, but there is 0/);
  const device = await openDevice({ backend: 'wasm' });
  const replicas = { count: 1 } as never;
  expect(() => tinyTrainer({ args: { labelSmoothingFactor: 0.1 }, replicas })).toThrow(
    /not be that of its replicas.*withLoss/,
  );
  device.dispose();
});
