import { adapterStateDict } from '@qlora-js/lora';
import { finalRunName, type RunTracking } from '@qlora-js/tracking';
import type { Baselines } from '../evaluation/baseline-figures';
import type { TestMetrics } from '../evaluation/test-metrics';
import type { AdapterFolder } from '../saving/describing-files';
import { baselineFigures } from '../saving/model-card';
import { collectReport, type ReportParts, type RunReport } from '../saving/report';
import type { SearchResult } from '../search/result';
import { searchParameters, type SearchOptions } from '../search/search';
import { describeParameters } from '../search/space';
import { trainAdapter } from '../training/train-adapter';
import type { TrainedAdapter } from '../training/trained-adapter';
import type { TrainingContext } from './context';

/** The name of the adapter that a run ends with; PEFT's. */
export const FINAL_ADAPTER = 'default';

/** How the final training comes about. */
export interface FinalTrainingOptions {
  /** Where the search keeps its trials. */
  readonly study?: SearchOptions;
  /** Goes on from a checkpoint of the final training. */
  readonly resumeFromCheckpoint?: boolean | string;
}

/** The final training, after a search where one is asked for. */
export async function searchAndTrain(
  context: TrainingContext,
  { study, resumeFromCheckpoint = false }: FinalTrainingOptions,
): Promise<{ readonly trained: TrainedAdapter; readonly found: SearchResult | undefined }> {
  const { output, model, settings, learning } = context;
  const { metric } = learning.goal;
  let found: SearchResult | undefined;
  if (settings.search !== null) {
    output.section(`Search: ${settings.search.trials} trials`);
    found = await searchParameters(context, study);
    output.line(`best trial: ${metric} ${found.bestValue.toFixed(4)} with ${describeParameters(found.parameters)}`);
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
    resumeFromCheckpoint,
  });
  output.line(model.trainableParametersLine());
  const { bestMetric, bestModelCheckpoint } = trained.result;
  output.line(`best validation ${metric} ${bestMetric?.toFixed(4)} at ${bestModelCheckpoint}`);
  return { trained, found };
}

/** What can fail without taking the adapter along: a warning then, and undefined. */
export type Optional = <Result>(what: string, work: () => Promise<Result> | Result) => Promise<Result | undefined>;

/** What becomes of a trained adapter. */
export interface SaveAndTestOptions {
  /** The training. */
  readonly trained: TrainedAdapter;
  /** The search before it. */
  readonly found: SearchResult | undefined;
  /** Called with the adapter's folder as soon as it is trained, and again once the test rows have been looked at. */
  readonly save: ((files: AdapterFolder) => Promise<void>) | undefined;
  /** The adapter's folder with a run's figures. */
  readonly folder: (report: RunReport) => Promise<AdapterFolder>;
  /** Looks at the test rows, and says so. */
  readonly look: (optional: Optional) => Promise<Partial<Pick<ReportParts, 'test' | 'manual' | 'baselines'>>>;
}

/** Saves the adapter, tests it, and saves it again with the figures. */
export async function saveAndTest(
  context: TrainingContext,
  { trained, found, save = async () => undefined, folder, look }: SaveAndTestOptions,
): Promise<{ readonly report: RunReport; readonly files: AdapterFolder }> {
  const { output } = context;
  const write = async (report: RunReport): Promise<AdapterFolder> => {
    const files = await folder(report);
    await save(files);
    return files;
  };
  output.section('Saving');
  const unseen = { test: undefined, manual: undefined, baselines: undefined };
  await write(collectReport(context, { trained, found, ...unseen }));
  const seen = await look(async (what, work) => {
    try {
      return await work();
    } catch (error) {
      output.warn(
        `${what} failed, the adapter is saved without: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    }
  });
  for (const line of testLines(seen.test, seen.baselines)) output.line(line);
  const report = collectReport(context, { trained, found, ...unseen, ...seen });
  return { report, files: await write(report) };
}

/** What the training came to, and how the adapter's weights are spread. */
export async function recordOutcome(
  tracking: RunTracking,
  {
    context,
    trained,
    report,
  }: { readonly context: TrainingContext; readonly trained: TrainedAdapter; readonly report: RunReport },
): Promise<void> {
  const { test, test_loss, test_perplexity, best_val, best_val_accuracy } = report;
  const { train_loss, total_time_sec, tokens_per_sec_est = null, real_tokens_per_sec = null } = report;
  tracking.summary({
    ...Object.fromEntries(
      Object.entries(test?.figures ?? {}).map(([name, { estimate }]) => [`test_${name}`, estimate]),
    ),
    ...{ test_loss, [`best_val_${best_val.metric}`]: best_val.value },
    ...(best_val_accuracy === null ? {} : { best_val_accuracy }),
    ...(test_perplexity === null ? {} : { test_perplexity }),
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
    if (test.task === 'causal_lm') figures.push(`test_perplexity ${Math.exp(test.loss).toFixed(4)}`);
    lines.push([...figures, `test_loss ${test.loss.toFixed(4)}`].join('  '));
  }
  const simple = baselineFigures(baselines ?? {}).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return simple.length === 0 ? lines : [...lines, simple.join('  ')];
}
