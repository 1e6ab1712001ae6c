import {
  binarize,
  bootstrapConfidenceInterval,
  meanAbsoluteError,
  meanSquaredError,
  multilabelMetrics,
  pearsonCorrelation,
  spearmanCorrelation,
  type DenseScores,
  type MultilabelMetrics,
} from '@qlora-js/metrics';
import type { Interval, ScoredRows, Scores } from './scores';

/** Several labels a text. */
export function scoreTags({ names, truth, outputs, threshold, seed }: ScoredRows): Scores {
  const shape = [outputs.length / names.length, names.length] as const;
  const right: DenseScores = { data: Float32Array.from(truth), shape };
  const given: DenseScores = binarize({ data: outputs, shape }, { threshold });
  const figure = (metric: (metrics: MultilabelMetrics) => number): Interval => {
    const data = [right, given] as const;
    const { estimate, low, high } = bootstrapConfidenceInterval({
      data: [...data],
      metric: (one, other) => metric(multilabelMetrics(one, other)),
      seed,
    });
    return { estimate, low, high };
  };
  const { precision, recall, fscore, support } = multilabelMetrics(right, given).perLabel;
  return {
    figures: {
      accuracy: figure(({ accuracy }) => accuracy),
      f1: figure(({ f1 }) => f1.micro),
      f1_macro: figure(({ f1 }) => f1.macro),
    },
    labels: names.map((label, id) => ({
      label,
      precision: precision[id]!,
      recall: recall[id]!,
      f1: fscore[id]!,
      support: support[id]!,
    })),
  };
}

/** A number a text. */
export function scoreNumbers({ truth, outputs, seed }: ScoredRows): Scores {
  const right = Float64Array.from(truth);
  const given = Float64Array.from(outputs);
  const metrics = {
    mse: meanSquaredError,
    mae: meanAbsoluteError,
    pearson: pearsonCorrelation,
    spearmanr: spearmanCorrelation,
  };
  const figures = Object.entries(metrics).flatMap(([name, metric]): [string, Interval][] => {
    // A correlation with what is constant has none.
    if (Number.isNaN(metric(right, given))) return [];
    const { estimate, low, high } = bootstrapConfidenceInterval({
      data: [[...right], [...given]],
      metric: (one, other) => metric(one, other),
      seed,
    });
    return [[name, { estimate, low, high }]];
  });
  return { figures: Object.fromEntries(figures) };
}
