import type { TextDataset } from '@qlora-js/data';
import { formatDataReport, inspectTextDataset } from '@qlora-js/data';
import { memoryFiles, type ModelFiles } from '@qlora-js/hub';
import type { Device } from '@qlora-js/kernels';
import { adapterStateDict } from '@qlora-js/lora';
import type { RunResults } from '@qlora-js/report';
import { finalRunName, type RunTracking } from '@qlora-js/tracking';
import { sequenceClassifier, type CheckpointStore, type Replicas, type TrainerCallback } from '@qlora-js/trainer';
import { embeddedBase, EMBEDDED_BASE, openBase, type BaseModel } from '../base/base';
import { collatorOf, cutWarning, describeSplits, tokenizeSplits } from '../data/tokenize';
import { baselines as costlessBaselines, type Baselines } from '../evaluation/baselines';
import { manualForward } from '../evaluation/manual-forward';
import { testAdapter, type TestedAdapter, type TestMetrics } from '../evaluation/test-metrics';
import { buildClassifier } from '../model/build';
import { TextClassifier } from '../predict/text-classifier';
import { adapterFolder, describingFiles, type AdapterFolder } from '../saving/adapter-folder';
import { readSavedClassifier } from '../saving/classifier-config';
import { baselineFigures } from '../saving/model-card';
import { collectReport, type RunReport } from '../saving/report';
import { runResults } from '../saving/run-results';
import type { SearchResult } from '../search/result';
import { searchParameters, type SearchOptions } from '../search/search';
import { describeParameters } from '../search/space';
import { goalOf } from '../task/goal';
import { describeTask, headOf, type Head } from '../task/head';
import type { StartTracking } from '../tracking/start-tracking';
import { trainAdapter } from '../training/train-adapter';
import type { TrainedAdapter } from '../training/trained-adapter';
import type { FineTuneContext, Learning } from './context';
import { SILENT, type Output } from './output';
import { fineTuneSettings, type FineTuneOptions } from './settings';

/** What the stages are prepared from. */
export interface PrepareOptions extends FineTuneOptions {
  /** The base: its files, or one that is open; the embedded small base where it is left out. */
  readonly base?: ModelFiles | BaseModel;
  /** The data, as `loadTextDataset` of @qlora-js/data gives it. */
  readonly data: TextDataset;
  /** Where to compute, as `openDevice` of @qlora-js/kernels gives it; the caller disposes of it. */
  readonly device: Device;
  /** Says what is done. Default nothing. */
  readonly output?: Output;
  /** Copies of the model in further threads. They are started once it is known what the head is there for. */
  readonly startReplicas?: (head: Head) => Promise<Replicas | undefined>;
  /** Where the checkpoints of a training of that name go. Default memory. */
  readonly checkpoints?: (name: string) => CheckpointStore;
  /** Begins the record of a training, trials among them, as `trackRun` of @qlora-js/tracking/node does. Default: none is kept. */
  readonly startTracking?: StartTracking;
  /** Listens to every training, trials among them. */
  readonly callbacks?: readonly TrainerCallback[];
  /** Stops the run: the step under way is finished and saved. */
  readonly signal?: AbortSignal;
  /** How people go on with the run, as messages say it: a command, say. */
  readonly resumeBy?: string;
}

/** Options of the whole run. */
export interface FineTuneClassifierOptions extends PrepareOptions {
  /** Where the search keeps its trials. */
  readonly study?: SearchOptions;
  /** Goes on from a checkpoint of the final training. */
  readonly resumeFromCheckpoint?: boolean | string;
  /** Called with the adapter's folder as soon as it is trained, and again once the test rows have been looked at. */
  readonly save?: (files: AdapterFolder) => Promise<void>;
}

/** A run that is over. */
export interface FineTunedClassifier {
  /** Labels texts with the trained adapter. */
  readonly classifier: TextClassifier;
  /** The adapter's folder. */
  readonly files: AdapterFolder;
  /** Every figure. */
  readonly report: RunReport;
  /** What a report shows besides a run's JSON lines; `writeReport` of @qlora-js/report/node takes it. */
  readonly results: RunResults;
  /** The record of the final training, all its figures in it; the caller finishes it. */
  readonly tracking: RunTracking | undefined;
  /** Frees the model and ends the threads. */
  readonly dispose: () => Promise<void>;
}

/** The name of the adapter that a run ends with; PEFT's. */
export const FINAL_ADAPTER = 'default';

/** Reads the data and the base and builds the frozen model: the first stage, which the others work with. */
export async function prepareClassifier(options: PrepareOptions): Promise<FineTuneContext> {
  const { data, device, output = SILENT, checkpoints, startTracking, callbacks = [], signal, resumeBy } = options;
  const settings = fineTuneSettings(options);
  const base = await baseOf(options.base, settings.padding);

  output.section('Data');
  const splits = tokenizeSplits(data, base, settings.padding);
  output.line(describeTask(data));
  for (const note of data.notes) output.line(note);
  output.line(describeSplits(splits, data));
  const inspected = inspectTextDataset(data);
  for (const line of formatDataReport(inspected)) output.line(line);
  const cut = cutWarning(splits, settings.padding.maxLength);
  if (cut !== undefined) output.warn(cut);

  output.section('Model');
  const head = headOf(data);
  const { task, numLabels } = head;
  const { seed, quantization } = settings;
  const model = await buildClassifier(base, { numLabels, seed, quantization, device, output });
  try {
    const replicas = await options.startReplicas?.(head);
    const learning: Learning = {
      task,
      goal: goalOf(task),
      taskType: 'SEQ_CLS',
      dataName: data.name,
      collator: collatorOf(base, settings.padding, task),
      trainable: () => sequenceClassifier(model, { padTokenId: base.padTokenId, problemType: task }),
      describingFiles: () => describingFiles({ base, data, settings, splits }),
    };
    return {
      ...{ settings, output, device, base, learning, data, splits, model, replicas },
      ...{ checkpoints, startTracking, callbacks, signal, resumeBy },
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function baseOf(
  base: ModelFiles | BaseModel | undefined,
  padding: FineTuneContext['settings']['padding'],
): Promise<BaseModel> {
  if (base === undefined) return openBase(await embeddedBase(), { id: EMBEDDED_BASE, padding });
  return 'family' in base ? base : openBase(base, { padding });
}

/**
 * From data to an adapter: prepare, search, train, save, test, save again with the figures. What comes after the training
 * can't undo it: an error of a test or a baseline is a warning, and the adapter stays.
 */
export async function fineTuneClassifier(options: FineTuneClassifierOptions): Promise<FineTunedClassifier> {
  const context = await prepareClassifier(options);
  let tracking: RunTracking | undefined;
  const dispose = async (): Promise<void> => {
    await context.replicas?.dispose();
    context.model.dispose();
  };
  try {
    const { output, model, settings } = context;
    let found: SearchResult | undefined;
    if (settings.search !== null) {
      output.section(`Search: ${settings.search.trials} trials`);
      found = await searchParameters(context, options.study);
      output.line(
        `best trial: ${found.goal.metric} ${found.bestValue.toFixed(4)} with ${describeParameters(found.parameters)}`,
      );
    }
    output.section('Final training');
    output.line(describeParameters({ ...settings.training, ...found?.parameters }));
    const trained = await trainAdapter(context, {
      parameters: found?.parameters,
      adapterName: FINAL_ADAPTER,
      label: 'train',
      wholeCheckpoints: true,
      recordedAs: {
        name: finalRunName(settings.quantization?.quantType ?? 'none'),
        jobType: 'final',
        phase: 'final_training',
      },
      resumeFromCheckpoint: options.resumeFromCheckpoint ?? false,
    });
    ({ tracking } = trained);
    output.line(model.trainableParametersLine());
    const { metric } = context.learning.goal;
    output.line(
      `best validation ${metric} ${trained.result.bestMetric?.toFixed(4)} at ${trained.result.bestModelCheckpoint}`,
    );
    const { report, files, predictions } = await saveAndTest(context, { trained, found, save: options.save });
    if (tracking !== undefined) await recordOutcome(tracking, { context, trained, report });
    const classifier = new TextClassifier({
      model,
      base: context.base,
      saved: new Map([[FINAL_ADAPTER, await readSavedClassifier(memoryFiles('the adapter', files))]]),
    });
    const results = runResults(context, { report, predictions, found });
    return { classifier, files, report, results, tracking, dispose };
  } catch (error) {
    void tracking?.finish('failed');
    await dispose();
    throw error;
  }
}

interface SaveParts {
  readonly trained: TrainedAdapter;
  readonly found: SearchResult | undefined;
  readonly save: FineTuneClassifierOptions['save'];
}

async function saveAndTest(
  context: FineTuneContext,
  { trained, found, save = async () => undefined }: SaveParts,
): Promise<{
  readonly report: RunReport;
  readonly files: AdapterFolder;
  readonly predictions: TestedAdapter['predictions'] | undefined;
}> {
  const { output, data } = context;
  const write = async (report: RunReport): Promise<AdapterFolder> => {
    const files = await adapterFolder(context, trained.adapterName, report);
    await save(files);
    return files;
  };
  output.section('Saving');
  const first = collectReport(context, { trained, found, test: undefined, manual: undefined, baselines: undefined });
  await write(first);
  const optional = async <Result>(what: string, work: () => Promise<Result> | Result): Promise<Result | undefined> => {
    try {
      return await work();
    } catch (error) {
      output.warn(
        `${what} failed, the adapter is saved without: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    }
  };
  output.section('A forward pass by hand');
  const manual = await optional('the forward pass by hand', () => manualForward(context));
  if (manual !== undefined) {
    const { inputIdsShape, attentionMaskShape, outputKeys, logitsShape, loss } = manual;
    output.line(`input_ids [${inputIdsShape.join(', ')}]  attention_mask [${attentionMaskShape.join(', ')}]`);
    output.line(`output keys ${outputKeys.join(', ')}  logits [${logitsShape.join(', ')}]  loss ${loss.toFixed(4)}`);
  }
  output.section('Test');
  const rows = data.test.numRows;
  const tested = rows === 0 ? undefined : await optional('the test', () => testAdapter(context, trained));
  const test = tested?.metrics;
  const baselines = rows === 0 ? undefined : await optional('the baselines', () => costlessBaselines(data));
  for (const line of testLines(test, baselines)) output.line(line);
  const report = collectReport(context, { trained, found, test, manual, baselines });
  return { report, files: await write(report), predictions: tested?.predictions };
}

/** What the training came to, and how the adapter's weights are spread. */
async function recordOutcome(
  tracking: RunTracking,
  {
    context,
    trained,
    report,
  }: { readonly context: FineTuneContext; readonly trained: TrainedAdapter; readonly report: RunReport },
): Promise<void> {
  const { test, test_loss, best_val, best_val_accuracy } = report;
  const { train_loss, total_time_sec, tokens_per_sec_est = null, real_tokens_per_sec = null } = report;
  tracking.summary({
    ...Object.fromEntries(
      Object.entries(test?.figures ?? {}).map(([name, { estimate }]) => [`test_${name}`, estimate]),
    ),
    ...{ test_loss, [`best_val_${best_val.metric}`]: best_val.value },
    ...(best_val_accuracy === null ? {} : { best_val_accuracy }),
    ...{ train_loss, total_time_sec, tokens_per_sec_est, real_tokens_per_sec },
    gpu_max_mem_allocated_GiB: report.gpu_max_mem_allocated_GiB ?? null,
    trainable_params: report.trainable_params,
    all_params: report.all_params,
    ...Object.fromEntries(Object.entries(report.baselines ?? {}).map(([name, value]) => [`baseline_${name}`, value])),
  });
  const step = trained.result.globalStep;
  for (const { name, bytes } of await adapterStateDict(context.model, trained.adapterName)) {
    tracking.histogram(name, new Float32Array(bytes.slice().buffer), step);
  }
}

function testLines(test: TestMetrics | undefined, baselines: Baselines | undefined): string[] {
  const lines: string[] = [];
  if (test !== undefined) {
    const figures = Object.entries(test.figures).map(([name, { estimate, low, high }], index) => {
      const interval = index === 0 ? ` (${low.toFixed(4)} to ${high.toFixed(4)})` : '';
      return `test_${name} ${estimate.toFixed(4)}${interval}`;
    });
    lines.push([...figures, `test_loss ${test.loss.toFixed(4)}`].join('  '));
  }
  const simple = baselineFigures(baselines ?? {}).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return simple.length === 0 ? lines : [...lines, simple.join('  ')];
}
