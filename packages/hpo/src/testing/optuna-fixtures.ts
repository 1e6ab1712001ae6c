import { goldenJson } from '../../../../tools/test/golden';
import {
  categoricalDistribution,
  type Distribution,
  floatDistribution,
  intDistribution,
  type ParamValue,
} from '../distribution/distribution';
import { TrialPruned } from '../errors';
import { type Trial } from '../trial/trial';

/** The search space of the recorded study. */
export const referenceSpace: Readonly<Record<string, Distribution>> = {
  learning_rate: floatDistribution({ low: 1e-5, high: 5e-4, log: true }),
  batch_size: categoricalDistribution([4, 8, 16]),
  num_train_epochs: intDistribution({ low: 2, high: 5 }),
  weight_decay: floatDistribution({ low: 0.01, high: 0.1 }),
  warmup_steps: intDistribution({ low: 100, high: 500, step: 50 }),
};

/** The objective that the recorded study maximised (tools/python/golden/search_study.py), with its failure in trial 7. */
export function referenceObjective(trial: Trial): number {
  const learningRate = trial.suggestFloat('learning_rate', 1e-5, 5e-4, { log: true });
  const batchSize = trial.suggestCategorical('batch_size', [4, 8, 16]);
  const epochs = trial.suggestInt('num_train_epochs', 2, 5);
  const weightDecay = trial.suggestFloat('weight_decay', 0.01, 0.1);
  const warmupSteps = trial.suggestInt('warmup_steps', 100, 500, { step: 50 });
  const base =
    0.9 -
    (Math.log10(learningRate) + 3.6) ** 2 * 0.2 -
    Math.abs(batchSize - 8) * 0.002 +
    epochs * 0.004 -
    (weightDecay - 0.03) ** 2 -
    Math.abs(warmupSteps - 250) * 1e-5;
  for (let step = 0; step < epochs; step++) {
    trial.report(base * (1 - 0.5 ** (step + 1)), step);
    if (trial.shouldPrune()) throw new TrialPruned();
  }
  if (trial.number === 7) throw new RangeError('boom');
  return base;
}

export interface RecordedTrial {
  number: number;
  state: string;
  value: number | null;
  params: Record<string, ParamValue>;
  intermediate: Record<string, number>;
  start: string;
  complete: string;
}

export interface RecordedStudy {
  seed: number;
  name: string;
  user_attrs: Record<string, string>;
  best_value: number;
  best_params: Record<string, ParamValue>;
  trials: RecordedTrial[];
}

export interface RecordedDensities {
  n_done: number;
  gamma: number;
  below: number[];
  above: number[];
  cases: {
    candidates: Record<string, number[]>;
    log_l: number[];
    log_g: number[];
    best: number;
  }[];
}

export const recordedStudy: RecordedStudy = goldenJson('optuna/expected.json');
export const recordedDensities: RecordedDensities = goldenJson('optuna/tpe.json');
