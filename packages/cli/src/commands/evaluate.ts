import { scoreRows, type Output } from '@qlora-js/finetune';
import { argmax, classificationReport } from '@qlora-js/metrics';
import { UsageError } from '../errors';
import { ADAPTER_OPTIONS, THRESHOLD } from '../options/predict-options';
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
  threshold: THRESHOLD,
  ...TERMINAL_OPTIONS,
} as const satisfies OptionTable;

/** What `evaluate` is told. */
export type EvaluateValues = OptionValues<typeof EVALUATE_OPTIONS>;

/** Answers rows of which it is known what is right, and says how well. */
export async function evaluate(values: EvaluateValues, output: Output): Promise<void> {
  if (values.data === undefined) throw new UsageError('USAGE', '--data is missing: the rows to evaluate on');
  const classifier = await openAdapter(values, output);
  try {
    const names = classifier.labels();
    const { task, texts, truth } = await labelledRows({ ...values, data: values.data });
    const bar = output.bar('evaluate', texts.length);
    const outputs = await classifier.outputs(texts, { onProgress: (done) => bar.update(done) });
    bar.stop();
    const { threshold } = values;
    const { figures, confusion, labels } = await scoreRows(task, { names, truth, outputs, threshold, seed: 0 });
    if (values.json) return console.log(JSON.stringify({ task, rows: texts.length, ...figures, labels }));
    for (const [name, { estimate, low, high }] of Object.entries(figures))
      console.log(`${name} ${estimate.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`);
    if (confusion !== undefined) {
      const predicted = argmax({ data: outputs, shape: [texts.length, names.length] });
      const ids = names.map((_name, id) => id);
      output.line(classificationReport([...truth], [...predicted], { labels: ids, targetNames: [...names] }));
    }
    for (const { label, precision, recall, f1, support } of labels ?? []) {
      const scores = Object.entries({ precision, recall, f1 }).map(([name, score]) => `${name} ${score.toFixed(4)}`);
      output.line(`${label}: ${scores.join('  ')}  in ${support} texts`);
    }
  } finally {
    classifier.dispose();
  }
}
