import type { LanguageModelDataset } from '@qlora-js/data';
import type { RunResults } from '@qlora-js/report';
import type { RunTracking } from '@qlora-js/tracking';
import { causalLanguageModel, evaluate, evaluationBatches } from '@qlora-js/trainer';
import { baseOf } from '../base/base';
import { describeTexts, languageModelCollator, languageModelRows } from '../data/language-model-rows';
import type { TestMetrics } from '../evaluation/test-metrics';
import { TextGenerator } from '../generate/text-generator';
import { buildLanguageModel } from '../model/build';
import type { AdapterFolder } from '../saving/describing-files';
import { describingLanguageModel, languageModelFolder } from '../saving/language-model-folder';
import type { RunReport } from '../saving/report';
import { runResults } from '../saving/run-results';
import { goalOf } from '../task/goal';
import type { TrainedAdapter } from '../training/trained-adapter';
import type { Learning } from './context';
import type { PrepareModelOptions } from './fine-tune-classifier';
import type { LanguageModelContext } from './language-model-context';
import { SILENT } from './output';
import { fineTuneSettings } from './settings';
import { recordOutcome, saveAndTest, searchAndTrain, type FinalTrainingOptions } from './stages';

/** What a language model is prepared from. */
export interface PrepareLanguageModelOptions extends PrepareModelOptions {
  /** The texts, as `loadLanguageModelDataset` of @qlora-js/data gives them. */
  readonly data: LanguageModelDataset;
  /** Put short training texts together in rows of up to maxLength tokens; they see nothing of each other. Default false. */
  readonly packing?: boolean;
}

/** Options of the whole run. */
export interface FineTuneLanguageModelOptions extends PrepareLanguageModelOptions, FinalTrainingOptions {
  /** Called with the adapter's folder as soon as it is trained, and again once the test rows have been looked at. */
  readonly save?: (files: AdapterFolder) => Promise<void>;
}

/** A run that is over. */
export interface FineTunedLanguageModel {
  /** Generates with the trained adapter. */
  readonly generator: TextGenerator;
  /** The adapter's folder. */
  readonly files: AdapterFolder;
  /** Every figure. */
  readonly report: RunReport;
  /** What a report shows besides a run's JSON lines. */
  readonly results: RunResults;
  /** The record of the final training, all its figures in it; the caller finishes it. */
  readonly tracking: RunTracking | undefined;
  /** Frees the model and ends the threads. */
  readonly dispose: () => Promise<void>;
}

/** Reads the texts and the base and builds the frozen model: the first stage, which the others work with. */
export async function prepareLanguageModel(options: PrepareLanguageModelOptions): Promise<LanguageModelContext> {
  const { data, device, output = SILENT, packing = false, checkpoints, startTracking } = options;
  const { callbacks = [], signal, resumeBy } = options;
  const settings = fineTuneSettings(options);
  const { seed, quantization, padding } = settings;
  const base = await baseOf(options.base, padding);

  output.section('Data');
  output.line(`${data.name}: texts to learn the next token of, from ${Object.values(data.columns).join(' and ')}`);
  for (const note of data.notes) output.line(note);
  const rows = { maxLength: padding.maxLength, packing };
  const splits = languageModelRows(data, base, rows);
  const described = describeTexts(splits, rows);
  for (const line of described.lines) output.line(line);
  for (const warning of described.warnings) output.warn(warning);

  output.section('Model');
  const model = await buildLanguageModel(base, { seed, quantization, device, output });
  try {
    const replicas = await options.startReplicas?.({ task: 'causal_lm' });
    const learning: Learning = {
      task: 'causal_lm',
      goal: goalOf('causal_lm'),
      taskType: 'CAUSAL_LM',
      dataName: data.name,
      dataFacts: {
        packing: packing ? 'yes' : 'no',
        'texts cut': splits.cut.length,
        'training texts': splits.texts.train,
      },
      collator: languageModelCollator(base, padding),
      trainable: () => causalLanguageModel(model, { padTokenId: base.padTokenId }),
      describingFiles: () => describingLanguageModel({ base, data, settings, splits }),
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
 * From texts to an adapter that writes: prepare, search, train, save, test, save again with the figures. What comes after the training
 * can't undo it.
 */
export async function fineTuneLanguageModel(options: FineTuneLanguageModelOptions): Promise<FineTunedLanguageModel> {
  const context = await prepareLanguageModel(options);
  let tracking: RunTracking | undefined;
  const dispose = async (): Promise<void> => {
    await context.replicas?.dispose();
    context.model.dispose();
  };
  try {
    const { model, base, output, splits } = context;
    const { trained, found } = await searchAndTrain(context, options);
    ({ tracking } = trained);
    const { report, files } = await saveAndTest(context, {
      trained,
      found,
      save: options.save,
      folder: (figures) => languageModelFolder(context, trained.adapterName, figures),
      look: async (optional) => {
        output.section('Test');
        if (splits.test.numRows === 0) return {};
        const test = await optional('the test', () => testLanguageModel(context, trained));
        const alone = await optional("the base's perplexity", () => basePerplexity(context));
        return { test, baselines: alone === undefined ? undefined : { base_perplexity: alone } };
      },
    });
    if (tracking !== undefined) await recordOutcome(tracking, { context, trained, report });
    const results = runResults(context, { report, found });
    return { generator: new TextGenerator({ model, base }), files, report, results, tracking, dispose };
  } catch (error) {
    void tracking?.finish('failed');
    await dispose();
    throw error;
  }
}

async function testLanguageModel({ splits }: LanguageModelContext, { trainer }: TrainedAdapter): Promise<TestMetrics> {
  const metrics = await trainer.evaluate(splits.test, 'test');
  return { task: 'causal_lm', rows: splits.texts.test, loss: metrics['test_loss']!, figures: {} };
}

/** What the adapter has to beat: the same rows without it. */
async function basePerplexity({ model, learning, splits, settings, device }: LanguageModelContext): Promise<number> {
  const { activeAdapters } = model;
  const batches = evaluationBatches(splits.test, settings.training.perDeviceEvalBatchSize, learning.collator);
  model.setAdapter([]);
  try {
    return Math.exp((await evaluate(learning.trainable(), batches, { device })).loss);
  } finally {
    model.setAdapter(activeAdapters);
  }
}
