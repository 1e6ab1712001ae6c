import type { Output } from '@qlora-js/finetune';
import {
  bootstrapFromConfusion,
  classificationReport,
  confusionMatrix,
  type ConfusionMetrics,
} from '@qlora-js/metrics';
import { UsageError } from '../errors';
import { ADAPTER_OPTIONS } from '../options/predict-options';
import type { OptionTable, OptionValues } from '../options/spec';
import { DATA_OPTIONS, TERMINAL_OPTIONS } from '../options/train-options';
import { labelledRows } from './labelled-rows';
import { openAdapter } from './predict';

const { labelNames: _, task: _task, ...READING } = DATA_OPTIONS;

/** Options of `evaluate`. */
export const EVALUATE_OPTIONS = {
  ...ADAPTER_OPTIONS,
  data: {
    kind: 'text',
    placeholder: 'path|id|-',
    default: undefined,
    group: 'Data:',
    basic: true,
    help: 'labelled rows; of a folder with splits, the test rows',
  },
  ...READING,
  ...TERMINAL_OPTIONS,
} as const satisfies OptionTable;

/** What `evaluate` is told. */
export type EvaluateValues = OptionValues<typeof EVALUATE_OPTIONS>;

/** Labels rows whose labels are known, and says how well. */
export async function evaluate(values: EvaluateValues, output: Output): Promise<void> {
  if (values.data === undefined) throw new UsageError('USAGE', '--data is missing: the rows to evaluate on');
  const classifier = await openAdapter(values, output);
  try {
    const names = classifier.labels();
    const { texts, labels: actual } = await labelledRows({ ...values, data: values.data });
    const bar = output.bar('evaluate', texts.length);
    const predictions = await classifier.predict(texts, { onProgress: (done) => bar.update(done) });
    bar.stop();
    const predicted = predictions.map(({ labels }) => names.indexOf(labels[0]!.label));
    const confusion = confusionMatrix(actual, predicted, { labels: names.map((_name, id) => id) });
    const interval = (
      metric: (metrics: ConfusionMetrics) => number,
    ): { estimate: number; low: number; high: number } => {
      const { estimate, low, high } = bootstrapFromConfusion({ confusion, metric });
      return { estimate, low, high };
    };
    const result = {
      rows: texts.length,
      accuracy: interval((metrics) => metrics.accuracy),
      f1: interval((metrics) => metrics.f1.weighted),
      f1_macro: interval((metrics) => metrics.f1.macro),
    };
    if (values.json) return console.log(JSON.stringify(result));
    for (const [name, { estimate, low, high }] of Object.entries(result).filter(
      (entry): entry is [string, ReturnType<typeof interval>] => typeof entry[1] === 'object',
    ))
      console.log(`${name} ${estimate.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`);
    output.line(
      classificationReport(actual, predicted, { labels: names.map((_name, id) => id), targetNames: [...names] }),
    );
  } finally {
    classifier.dispose();
  }
}
