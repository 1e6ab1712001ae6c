import type { FineTuneOptions } from '@qlora-js/finetune';
import type { RunSettings } from './protocol';

/** Evaluations that a run is cut up by: enough to see the accuracy move, few enough that they take little of its time. */
const EVALUATIONS = 8;

/** Optimiser steps of a run. */
export function stepsOf({ batchSize, numTrainEpochs }: RunSettings, trainRows: number): number {
  return Math.ceil(trainRows / batchSize) * numTrainEpochs;
}

/** What @qlora-js/finetune is told. */
export function fineTuneOptions(settings: RunSettings, trainRows: number): FineTuneOptions {
  const { seed, maxLength, quantization, rank, learningRate, numTrainEpochs, batchSize } = settings;
  const evalSteps = Math.max(1, Math.round(stepsOf(settings, trainRows) / EVALUATIONS));
  return {
    seed,
    padding: { maxLength },
    quantization: quantization === 'none' ? null : { quantType: quantization },
    lora: { r: rank, loraAlpha: 2 * rank },
    training: {
      learningRate,
      numTrainEpochs,
      perDeviceTrainBatchSize: batchSize,
      evalSteps,
      saveSteps: evalSteps,
      loggingSteps: 1,
    },
  };
}
