import { describe, expect, it } from 'vitest';
import { createSchedule, type ScheduleOptions, type SchedulerType } from './schedule';

/** What transformers 5.23.0's get_scheduler gives an optimiser with lr 5e-4 before each step, past the end as well. */
const TRANSFORMERS: [SchedulerType, Omit<ScheduleOptions, 'learningRate'>, number[]][] = [
  [
    'linear',
    { warmupSteps: 3, trainingSteps: 10 },
    [
      0.0, 0.00016666666666666666, 0.0003333333333333333, 0.0005, 0.00042857142857142855, 0.00035714285714285714,
      0.0002857142857142857, 0.00021428571428571427, 0.00014285714285714284, 7.142857142857142e-5, 0.0, 0.0, 0.0,
    ],
  ],
  ['linear', { warmupSteps: 0, trainingSteps: 4 }, [0.0005, 0.000375, 0.00025, 0.000125, 0.0, 0.0]],
  [
    'cosine',
    { warmupSteps: 2, trainingSteps: 9 },
    [
      0.0, 0.00025, 0.0005, 0.00047524221697560476, 0.0004058724504646834, 0.0003056302334890786,
      0.00019436976651092142, 9.412754953531663e-5, 2.4757783024395242e-5, 0.0, 2.4757783024395215e-5,
      9.412754953531657e-5,
    ],
  ],
  [
    'cosine',
    { warmupSteps: 2, trainingSteps: 9, numCycles: 1.5 },
    [
      0.0, 0.00025, 0.0005, 0.0003056302334890786, 2.4757783024395242e-5, 9.412754953531657e-5, 0.00040587245046468334,
      0.0004752422169756048, 0.00019436976651092148, 0.0, 0.0001943697665109213, 0.0004752422169756049,
    ],
  ],
  [
    'cosine_with_restarts',
    { warmupSteps: 2, trainingSteps: 9 },
    [
      0.0, 0.00025, 0.0005, 0.00047524221697560476, 0.0004058724504646834, 0.0003056302334890786,
      0.00019436976651092142, 9.412754953531663e-5, 2.4757783024395242e-5, 0.0, 0.0, 0.0,
    ],
  ],
  [
    'cosine_with_restarts',
    { warmupSteps: 2, trainingSteps: 11, numCycles: 3 },
    [
      0.0, 0.00025, 0.0005, 0.000375, 0.00012500000000000006, 0.0005, 0.0003750000000000001, 0.00012499999999999995,
      0.0005, 0.00037499999999999995, 0.00012500000000000017, 0.0, 0.0, 0.0,
    ],
  ],
  [
    'polynomial',
    { warmupSteps: 2, trainingSteps: 9 },
    [
      0.0, 0.00025, 0.0005, 0.0004285857142857144, 0.0003571714285714286, 0.00028575714285714287, 0.0002143428571428572,
      0.00014292857142857144, 7.151428571428573e-5, 1e-7, 1e-7, 1e-7,
    ],
  ],
  [
    'polynomial',
    { warmupSteps: 2, trainingSteps: 9, power: 2.0, learningRateEnd: 1e-5 },
    [
      0.0, 0.00025, 0.0005, 0.0003700000000000001, 0.00026000000000000003, 0.00016999999999999999,
      0.00010000000000000002, 4.9999999999999996e-5, 2.0000000000000005e-5, 1e-5, 1e-5, 1e-5,
    ],
  ],
  ['constant', { warmupSteps: 3, trainingSteps: 5 }, [0.0005, 0.0005, 0.0005, 0.0005, 0.0005, 0.0005, 0.0005]],
  [
    'constant_with_warmup',
    { warmupSteps: 3, trainingSteps: 5 },
    [0.0, 0.00016666666666666666, 0.0003333333333333333, 0.0005, 0.0005, 0.0005, 0.0005],
  ],
];

describe('createSchedule', () => {
  for (const [type, options, expected] of TRANSFORMERS) {
    it(`${type} ${JSON.stringify(options)} has transformers’ values`, () => {
      const schedule = createSchedule(type, { learningRate: 5e-4, ...options });
      expected.forEach((value, step) => {
        expect(Math.abs(schedule(step) - value), `step ${step}: ${schedule(step)}, ${value}`).toBeLessThan(1e-18);
      });
    });
  }

  it('refuses what makes no sense, naming it', () => {
    const create =
      (type: string, options: Partial<ScheduleOptions> = {}) =>
      () =>
        createSchedule(type as SchedulerType, { learningRate: 1e-3, trainingSteps: 10, ...options });
    expect(create('quadratic')).toThrow("schedule 'quadratic' is unknown; there are linear, cosine");
    expect(create('linear', { learningRate: -1 })).toThrow('learningRate -1');
    expect(create('linear', { warmupSteps: 1.5 })).toThrow('warmupSteps 1.5');
    expect(create('linear', { trainingSteps: 0 })).toThrow('trainingSteps 0');
    expect(create('polynomial', { learningRateEnd: 1e-3 })).toThrow('learningRateEnd 0.001 is not below');
  });
});
