import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import {
  METRIC_SCHEDULER_TYPES,
  MetricSchedule,
  type MetricScheduleOptions,
  type MetricSchedulerType,
} from './metric-schedule';

const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../test/golden-schedules.json', import.meta.url)), 'utf8'),
) as {
  learning_rate: number;
  metrics: number[];
  by_metric: { name: MetricSchedulerType; kwargs: Record<string, unknown>; rates: number[] }[];
};

function scheduleOf({ name, kwargs }: (typeof golden)['by_metric'][number]): MetricSchedule {
  const camel = Object.entries(kwargs).map(([key, value]) => [
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return new MetricSchedule(name, {
    learningRate: golden.learning_rate,
    ...(Object.fromEntries(camel) as Partial<MetricScheduleOptions>),
  });
}

it.each(golden.by_metric)(
  "$name with $kwargs gives torch's and transformers' rates, resumed at any metric",
  (recorded) => {
    let schedule = scheduleOf(recorded);
    recorded.rates.forEach((rate, step) => {
      schedule.step(golden.metrics[step]!);
      expect(schedule.learningRate, `metric ${step}`).toBeCloseTo(rate, 15);
      const resumed = scheduleOf(recorded);
      resumed.loadStateDict(
        JSON.parse(JSON.stringify(schedule.stateDict())) as ReturnType<MetricSchedule['stateDict']>,
      );
      schedule = resumed;
    });
  },
);

it('holds every such schedule against them', () => {
  expect(new Set(golden.by_metric.map(({ name }) => name))).toEqual(new Set(METRIC_SCHEDULER_TYPES));
});

it.each<[MetricSchedulerType, Partial<MetricScheduleOptions>, RegExp]>([
  ['reduce_lr_on_plateau', { factor: 1 }, /factor 1 is not a number between 0 and 1/],
  ['reduce_lr_on_plateau', { maxLr: 1 }, /takes no maxLr; greedy does/],
  ['greedy', { mode: 'lower' as 'min' }, /mode lower is not 'min' or 'max'/],
  ['greedy', { patience: 0.5 }, /patience 0.5 is not an integer/],
  ['greedy', { numCycles: 2 } as object, /greedy takes no numCycles/],
  ['plateau' as 'greedy', {}, /schedule 'plateau' is unknown; there are reduce_lr_on_plateau, greedy/],
])('%s refuses %o', (type, options, message) => {
  expect(() => new MetricSchedule(type, { learningRate: 1e-3, ...options })).toThrow(message);
});

it('refuses a state that is none', () => {
  const schedule = new MetricSchedule('greedy', { learningRate: 1 });
  expect(() => schedule.loadStateDict({ ...schedule.stateDict(), badCount: NaN })).toThrow(/state holds NaN/);
});
