import { describe, expect, it } from 'vitest';
import { trainingArguments, warmupStepCount } from './training-arguments';

const outputDir = 'out';

describe('trainingArguments', () => {
  it("has transformers' defaults", () => {
    expect(trainingArguments({ outputDir })).toMatchObject({
      perDeviceTrainBatchSize: 8,
      learningRate: 5e-5,
      weightDecay: 0,
      maxGradNorm: 1,
      numTrainEpochs: 3,
      lrSchedulerType: 'linear',
      warmupSteps: 0,
      optim: 'adamw_torch',
      loggingSteps: 500,
      evalStrategy: 'no',
      saveStrategy: 'no',
      metricForBestModel: 'loss',
      greaterIsBetter: false,
      seed: 42,
    });
  });

  it('evaluates every loggingSteps, and saves at the evaluations while the best is to be loaded', () => {
    const args = trainingArguments({
      outputDir,
      loggingSteps: 50,
      evalStrategy: 'steps',
      evalSteps: 100,
      loadBestModelAtEnd: true,
      metricForBestModel: 'eval_f1',
    });
    expect(args).toMatchObject({
      evalSteps: 100,
      saveStrategy: 'steps',
      saveSteps: 100,
      metricForBestModel: 'f1',
      greaterIsBetter: true,
    });
    expect(trainingArguments({ outputDir, loggingSteps: 50 }).evalSteps).toBe(50);
  });

  it.each([
    [{ learningRate: NaN }, 'learningRate is null'],
    [{ perDeviceTrainBatchSize: 0 }, 'perDeviceTrainBatchSize is 0'],
    [{ warmupSteps: 1.5 }, 'warmupSteps is 1.5'],
    [{ numTrainEpochs: 0 }, 'numTrainEpochs is 0'],
    [{ maxSteps: 0 }, 'maxSteps is 0'],
    [{ activationDtype: 'bfloat16' as 'float16' }, 'activationDtype is "bfloat16", but float32 or float16'],
    [{ loadBestModelAtEnd: true }, "an evalStrategy other than 'no'"],
    [{ loadBestModelAtEnd: true, evalStrategy: 'steps', saveStrategy: 'epoch' }, "the evalStrategy 'steps'"],
    [{ loadBestModelAtEnd: true, evalStrategy: 'steps', evalSteps: 20, saveSteps: 30 }, 'a multiple of evalSteps 20'],
  ] as const)('refuses %o', (options, message) => {
    expect(() => trainingArguments({ outputDir, ...options })).toThrow(message);
  });

  it('takes a warm-up below 1 as a share of all steps, rounded up', () => {
    expect(warmupStepCount(trainingArguments({ outputDir, warmupSteps: 0.06 }), 101)).toBe(7);
    expect(warmupStepCount(trainingArguments({ outputDir, warmupSteps: 100 }), 101)).toBe(100);
  });
});
