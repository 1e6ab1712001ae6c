import { ensureWritableFolder, writeFileAtomic } from '@qlora-js/hub/node';
import { formatBytes, openDevice, type Device } from '@qlora-js/kernels';
import { bagOfWordsLogisticRegression, majorityClassBaseline } from '@qlora-js/metrics';
import { PeftModel, prepareModelForKbitTraining } from '@qlora-js/lora';
import type { RunOptions } from '../cli/options';
import type { Output } from '../terminal/output';
import { buildClassifier, openBase } from './base';
import { compareFigures } from './comparison';
import type { RunContext } from './context';
import { describeData, loadTexts, tokenize, type TextSplits } from './data';
import { manualForward } from './manual-forward';
import { startThreads } from './threads';
import { collectReport, type RunReport } from './report';
import { saveAdapter } from './saved-adapter';
import { describe, search, type SearchResult } from './search';
import { trainAdapter, type TrainingParameters } from './training';

const FINAL_ADAPTER = 'default';

/** The whole pipeline; returns what --report-json writes. */
export async function run(options: RunOptions, output: Output): Promise<RunReport> {
  output.section('Environment');
  const device = await openDevice({ backend: options.backend, log: (line) => output.warn(line) });
  try {
    output.line(device.report());
    const before = device.memory();
    const report = await runOn(device, options, output);
    const after = device.memory();
    output.line(
      `memory at the end: ${formatBytes(after.tensorBytes)} in ${after.tensors} tensors (at the start: ${formatBytes(before.tensorBytes)} in ${before.tensors})`,
    );
    if (after.tensorBytes !== before.tensorBytes)
      output.warn(`${after.tensorBytes - before.tensorBytes} bytes were not given back`);
    return report;
  } finally {
    device.dispose();
  }
}

async function runOn(device: Device, options: RunOptions, output: Output): Promise<RunReport> {
  // What can be known to fail is found out before anything is computed.
  await ensureWritableFolder(options.outputDir);
  const base = await openBase(options.base, options.maxLength, options.paddingSide);

  output.section('Data');
  const texts = await loadTexts(options);
  const splits = tokenize(texts, base.tokenizer, options.maxLength);
  output.line(`${texts.name}: ${texts.labelMap.size} labels`);
  output.line(describeData(splits, texts.labelMap));
  if (splits.truncated > 0) output.warn(`${splits.truncated} texts were cut to ${options.maxLength} tokens`);

  output.section('Model');
  const classifier = await buildClassifier(base, texts.labelMap.size, options, { device, output });
  prepareModelForKbitTraining(classifier, { useGradientCheckpointing: options.gradientCheckpointing });
  const model = new PeftModel(classifier);
  const { labelMap } = texts;
  const replicas = await startThreads(options, { device, output, numLabels: labelMap.size });
  try {
    return await trainAndEvaluate({ options, output, device, base, labelMap, splits, model, replicas }, texts);
  } finally {
    await replicas?.dispose();
    model.dispose();
  }
}

async function trainAndEvaluate(context: RunContext, texts: TextSplits): Promise<RunReport> {
  const { options, output, model } = context;
  let found: SearchResult | undefined;
  if (options.trials > 0) {
    output.section(`Search: ${options.trials} trials`);
    found = await search(context);
    output.line(`best trial: f1 ${found.bestValue.toFixed(4)} with ${describe(found.parameters)}`);
  }
  const parameters: TrainingParameters = found?.parameters ?? options;

  output.section('Final training');
  output.line(describe(parameters));
  const training = await trainAdapter(context, { parameters, adapterName: FINAL_ADAPTER, label: 'train' });
  output.line(model.trainableParametersLine());
  output.line(`best validation f1 ${training.output.bestMetric?.toFixed(4)} at ${training.output.bestModelCheckpoint}`);

  output.section('A forward pass by hand');
  const manual = await manualForward(context);
  output.line(
    `input_ids [${manual.inputIdsShape.join(', ')}]  attention_mask [${manual.attentionMaskShape.join(', ')}]`,
  );
  output.line(
    `output keys ${manual.outputKeys.join(', ')}  logits [${manual.logitsShape.join(', ')}]  loss ${manual.loss.toFixed(4)}`,
  );

  output.section('Test');
  const test = await training.trainer.evaluate(context.splits.test, 'test');
  const baselines = baselineAccuracies(texts);
  const report = collectReport(context, { parameters, found, training, test, manual, baselines });
  output.line(
    `test_accuracy ${report.test_accuracy.toFixed(4)}  test_f1 ${report.test_f1.toFixed(4)}  test_loss ${report.test_loss.toFixed(4)}  best_val_accuracy ${report.best_val_accuracy.toFixed(4)}`,
  );
  output.line(
    `majority class ${baselines.majority_class.toFixed(4)}  bag-of-words logistic regression ${baselines.bag_of_words.toFixed(4)}`,
  );

  output.section('Saving');
  const saved = await saveAdapter(context, FINAL_ADAPTER);
  output.line(`${options.outputDir}: ${saved.join(', ')}`);
  if (options.reportJson !== undefined) {
    await writeFileAtomic(options.reportJson, `${JSON.stringify(report, null, 2)}\n`);
    output.line(`report: ${options.reportJson}`);
  }

  output.section('Comparison');
  const { previousAccuracy, previousF1, previousTokensPerSec, previousMemoryGib } = options;
  output.line(
    compareFigures(
      { accuracy: previousAccuracy, f1: previousF1, tokensPerSec: previousTokensPerSec, memoryGib: previousMemoryGib },
      {
        accuracy: report.test_accuracy,
        f1: report.test_f1,
        tokensPerSec: report.tokens_per_sec_est,
        memoryGib: report.gpu_max_mem_allocated_GiB,
      },
    ),
  );
  return report;
}

export interface BaselineAccuracies {
  readonly majority_class: number;
  readonly bag_of_words: number;
}

/** What a model has to beat on the same rows. */
function baselineAccuracies({ train, test, labelMap }: TextSplits): BaselineAccuracies {
  const ids = (rows: TextSplits['train']): number[] => rows.column('label').map((label) => labelMap.id(label));
  const trainLabels = ids(train);
  const testLabels = ids(test);
  const words = bagOfWordsLogisticRegression({
    trainTexts: [...train.column('text')],
    trainLabels,
    testTexts: [...test.column('text')],
    testLabels,
    numClasses: labelMap.size,
  });
  return { majority_class: majorityClassBaseline(trainLabels, testLabels).accuracy, bag_of_words: words.accuracy };
}
