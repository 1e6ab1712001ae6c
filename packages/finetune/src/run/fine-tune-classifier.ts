import type { TextDataset } from '@qlora-js/data';
import { formatDataReport, inspectTextDataset } from '@qlora-js/data';
import { memoryFiles, type ModelFiles } from '@qlora-js/hub';
import type { Device } from '@qlora-js/kernels';
import type { RunResults } from '@qlora-js/report';
import type { RunTracking } from '@qlora-js/tracking';
import { sequenceClassifier, type CheckpointStore, type Replicas, type TrainerCallback } from '@qlora-js/trainer';
import { baseOf, type BaseModel } from '../base/base';
import { collatorOf, cutWarning, describeSplits, tokenizeSplits } from '../data/tokenize';
import { baselines as costlessBaselines } from '../evaluation/baselines';
import { manualForward, type ManualForward } from '../evaluation/manual-forward';
import { testAdapter, type TestedAdapter } from '../evaluation/test-metrics';
import { buildClassifier } from '../model/build';
import { TextClassifier } from '../predict/text-classifier';
import { adapterFolder } from '../saving/adapter-folder';
import { describingFiles, type AdapterFolder } from '../saving/describing-files';
import { readSavedClassifier } from '../saving/classifier-config';
import type { RunReport } from '../saving/report';
import { runResults } from '../saving/run-results';
import { goalOf } from '../task/goal';
import { describeTask, headOf, type Head } from '../task/head';
import type { StartTracking } from '../tracking/start-tracking';
import type { FineTuneContext, Learning } from './context';
import { SILENT, type Output } from './output';
import { fineTuneSettings, type FineTuneOptions } from './settings';
import { FINAL_ADAPTER, recordOutcome, saveAndTest, searchAndTrain, type FinalTrainingOptions } from './stages';

/** What the stages are prepared from, whatever is learnt. */
export interface PrepareModelOptions extends FineTuneOptions {
  /** The base: its files, or one that is open; the embedded small base where it is left out. */
  readonly base?: ModelFiles | BaseModel;
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

/** What a classifier or regressor is prepared from. */
export interface PrepareOptions extends PrepareModelOptions {
  /** The data, as `loadTextDataset` of @qlora-js/data gives it. */
  readonly data: TextDataset;
}

/** Options of the whole run. */
export interface FineTuneClassifierOptions extends PrepareOptions, FinalTrainingOptions {
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
      dataFacts: { labels: data.labelMap?.size ?? null, 'texts cut': splits.cut.length },
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
    const { model, base, data, output } = context;
    const { trained, found } = await searchAndTrain(context, options);
    ({ tracking } = trained);
    let predictions: TestedAdapter['predictions'];
    const { report, files } = await saveAndTest(context, {
      trained,
      found,
      save: options.save,
      folder: (figures) => adapterFolder(context, trained.adapterName, figures),
      look: async (optional) => {
        output.section('A forward pass by hand');
        const manual = await optional('the forward pass by hand', () => manualForward(context));
        if (manual !== undefined) for (const line of manualLines(manual)) output.line(line);
        output.section('Test');
        if (data.test.numRows === 0) return { manual };
        const tested = await optional('the test', () => testAdapter(context, trained));
        predictions = tested?.predictions;
        const baselines = await optional('the baselines', () => costlessBaselines(data));
        return { manual, test: tested?.metrics, baselines };
      },
    });
    if (tracking !== undefined) await recordOutcome(tracking, { context, trained, report });
    const classifier = new TextClassifier({
      ...{ model, base },
      saved: new Map([[FINAL_ADAPTER, await readSavedClassifier(memoryFiles('the adapter', files))]]),
    });
    const test = predictions && {
      ...{ labels: data.labelMap!.names, ...predictions, texts: [...data.test.column('text')] },
    };
    const results = runResults(context, { report, test, found });
    return { classifier, files, report, results, tracking, dispose };
  } catch (error) {
    void tracking?.finish('failed');
    await dispose();
    throw error;
  }
}

function manualLines({ inputIdsShape, attentionMaskShape, outputKeys, logitsShape, loss }: ManualForward): string[] {
  return [
    `input_ids [${inputIdsShape.join(', ')}]  attention_mask [${attentionMaskShape.join(', ')}]`,
    `output keys ${outputKeys.join(', ')}  logits [${logitsShape.join(', ')}]  loss ${loss.toFixed(4)}`,
  ];
}
