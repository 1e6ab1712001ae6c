import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createSchedule, SCHEDULER_TYPES, type ScheduleOptions, type SchedulerType } from './schedule';

const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../test/golden-schedules.json', import.meta.url)), 'utf8'),
) as {
  learning_rate: number;
  training_steps: number;
  schedules: { name: SchedulerType; warmup_steps: number; kwargs: Record<string, unknown>; rates: number[] }[];
};

const camel = (name: string): string =>
  name === 'lr_end' ? 'learningRateEnd' : name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

it.each(golden.schedules)(
  "$name with $warmup_steps steps of warm-up and $kwargs gives transformers' rates",
  (recorded) => {
    const kwargs = Object.fromEntries(Object.entries(recorded.kwargs).map(([key, value]) => [camel(key), value]));
    const schedule = createSchedule(recorded.name, {
      learningRate: golden.learning_rate,
      warmupSteps: recorded.warmup_steps,
      trainingSteps: golden.training_steps,
      ...(kwargs as Partial<ScheduleOptions>),
    });
    recorded.rates.forEach((rate, step) => expect(schedule(step), `step ${step}`).toBeCloseTo(rate, 15));
  },
);

it('holds every schedule there is against transformers', () => {
  expect(new Set(golden.schedules.map(({ name }) => name))).toEqual(new Set(SCHEDULER_TYPES));
});

it.each<[SchedulerType, Partial<ScheduleOptions>, RegExp]>([
  ['cosine_with_min_lr', {}, /one of minLr \(undefined\) and minLrRate \(undefined\) is needed/],
  ['cosine_with_min_lr', { minLr: 1e-4, minLrRate: 0.1 }, /and only one/],
  ['warmup_stable_decay', {}, /numDecaySteps undefined is not an integer/],
  ['warmup_stable_decay', { numDecaySteps: 3, decayType: 'square' as 'linear' }, /decayType square is not 'linear'/],
])('%s refuses %o', (type, options, message) => {
  expect(() => createSchedule(type, { learningRate: 1e-3, trainingSteps: 10, ...options })).toThrow(message);
});
