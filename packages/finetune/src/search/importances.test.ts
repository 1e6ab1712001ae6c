import { createStudy, createTrial, floatDistribution } from '@qlora-js/hpo';
import { expect, it } from 'vitest';
import { importancesOf } from './importances';

const distributions = {
  learning_rate: floatDistribution({ low: 0, high: 1 }),
  weight_decay: floatDistribution({ low: 0, high: 1 }),
};

/** A study whose value is the learning rate alone; the other parameter is drawn evenly among good and bad trials. */
async function studied(trials: number) {
  const study = await createStudy({ direction: 'maximize' });
  for (let i = 0; i < trials; i++) {
    const params = { learning_rate: (i + 0.5) / trials, weight_decay: ((7 * i) % trials) / trials };
    await study.addTrial(createTrial({ params, distributions, value: params.learning_rate }));
  }
  return study;
}

it('weigh what tells the best trials from the others', async () => {
  const { learning_rate: rate, weight_decay: decay } = importancesOf(await studied(60))!;
  expect(rate! + decay!).toBeCloseTo(1, 12);
  expect(rate).toBeGreaterThan(2 * decay!);
});

it('are left open while a tenth of the trials is one', async () => {
  expect(importancesOf(await studied(10))).toBeUndefined();
  expect(importancesOf(await studied(0))).toBeUndefined();
});
