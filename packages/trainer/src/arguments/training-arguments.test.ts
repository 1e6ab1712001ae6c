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
      metricForBestModel: null,
      greaterIsBetter: false,
      seed: 42,
      dataSeed: 42,
      loggingStrategy: 'steps',
      evalDelay: 0,
      labelSmoothingFactor: 0,
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
    expect(trainingArguments({ outputDir, loggingSteps: 50, evalStrategy: 'steps' }).evalSteps).toBe(50);
    expect(trainingArguments({ outputDir, loggingSteps: 50 }).evalSteps).toBe(500);
  });

  it.each([
    [{ learningRate: NaN }, 'learningRate is null'],
    [{ perDeviceTrainBatchSize: 0 }, 'perDeviceTrainBatchSize is 0'],
    [{ warmupSteps: 1.5 }, 'warmupSteps is 1.5'],
    [{ numTrainEpochs: 0 }, 'numTrainEpochs is 0'],
    [{ maxSteps: 0 }, 'maxSteps is 0'],
    [{ activationDtype: 'bfloat16' as 'float16' }, `activationDtype is "bfloat16"; did you mean 'float16'?`],
    [{ loadBestModelAtEnd: true }, "an evalStrategy other than 'no'"],
    [{ loadBestModelAtEnd: true, evalStrategy: 'steps', saveStrategy: 'epoch' }, "the evalStrategy 'steps'"],
    [{ loadBestModelAtEnd: true, evalStrategy: 'steps', evalSteps: 20, saveSteps: 30 }, 'a multiple of evalSteps 20'],
    [{ evalStrategy: 'banana' as 'no' }, `evalStrategy is "banana"; there are 'no', 'steps', 'epoch'`],
    [{ evalStrategy: 'step' as 'steps' }, `did you mean 'steps'?`],
    [{ optim: 'adamw_trch' as 'adamw_torch' }, `optim is "adamw_trch"; did you mean 'adamw_torch'?`],
    [{ lrSchedulerType: 'cosin' as 'cosine' }, `did you mean 'cosine'?`],
    [{ learningrate: 1 }, "there is no training argument 'learningrate'; did you mean learningRate?"],
    [{ per_device_train_batch_size: 4 }, 'did you mean perDeviceTrainBatchSize?'],
    [{ deepspeed: 'x' }, "there is no training argument 'deepspeed'; there are acceptChanges, activationDtype"],
    [{ fp16: 'yes' as unknown as boolean }, 'fp16 is "yes", but true or false is needed'],
    [{ adamBeta1: 1 }, 'adamBeta1 is 1, but a number from 0 to below 1'],
    [{ saveStrategy: 'best' }, "an evalStrategy other than 'no'"],
    [{ saveTotalLimit: 1.5 }, 'saveTotalLimit is 1.5'],
    [{ labelSmoothingFactor: 2 }, 'labelSmoothingFactor is 2'],
  ] as const)('refuses %o', (options, message) => {
    expect(() => trainingArguments({ outputDir, ...options })).toThrow(message);
  });

  it('takes a warm-up below 1 as a share of all steps, rounded up', () => {
    expect(warmupStepCount(trainingArguments({ outputDir, warmupSteps: 0.06 }), 101)).toBe(7);
    expect(warmupStepCount(trainingArguments({ outputDir, warmupSteps: 100 }), 101)).toBe(100);
  });
});
