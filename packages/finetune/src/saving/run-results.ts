import type { TextDataset } from '@qlora-js/data';
import type { Described, RunResults, TestResults, TrialState } from '@qlora-js/report';
import type { TestPredictions } from '../evaluation/test-metrics';
import type { FineTuneContext } from '../run/context';
import type { SearchResult } from '../search/result';
import { runtimeVersions, type RunReport } from './report';
import { VERSION } from '../version';

/** What a report is drawn from besides a run's JSON lines. */
export interface RunResultParts {
  /** The training's figures; undefined for a search alone. */
  readonly report?: RunReport;
  /** The test rows, one by one. */
  readonly predictions?: TestPredictions;
  /** The trials. */
  readonly found?: SearchResult;
}

/** What `report.html` shows that a run's JSON lines do not say: what was run, the test rows, the search. */
export function runResults(context: FineTuneContext, { report, predictions, found }: RunResultParts): RunResults {
  return {
    description: description(context, report),
    ...(predictions === undefined ? {} : { test: testResults(context.data, predictions) }),
    ...(found === undefined ? {} : { search: searchResults(found) }),
  };
}

function description(
  { base, data, settings, splits, device, replicas }: FineTuneContext,
  report: RunReport | undefined,
): NonNullable<RunResults['description']> {
  const { quantization, lora, padding } = settings;
  const { info } = device;
  return {
    model: {
      base: base.id,
      revision: base.revision ?? null,
      ...(report === undefined ? {} : { parameters: report.all_params, trained: report.trainable_params }),
    },
    quantisation: quantization === null ? { type: 'none' } : { ...quantization },
    LoRA: { ...lora, targetModules: [lora.targetModules ?? base.family.targetModules].flat().join(', ') },
    data: {
      name: data.name,
      labels: data.labelMap?.size ?? null,
      'training rows': splits.train.numRows,
      'validation rows': splits.validation.numRows,
      'test rows': splits.test.numRows,
      maxLength: padding.maxLength,
      'texts cut': splits.cut.length,
    },
    machine: { ...plain(info), threads: 1 + (replicas?.count ?? 0) },
    versions: { 'qlora.js': VERSION, ...runtimeVersions() },
  };
}

/** Values that a table shows; lists and objects among them are left out. */
function plain(values: object): Record<string, Described> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, Described] =>
      ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );
}

function testResults({ labelMap, test }: TextDataset, predictions: TestPredictions): TestResults {
  return { labels: labelMap!.names, ...predictions, texts: [...test.column('text')] };
}

function searchResults({ name, goal, trials }: SearchResult): NonNullable<RunResults['search']> {
  return {
    name,
    objective: `eval_${goal.metric}`,
    direction: goal.direction,
    logarithmic: ['learning_rate'],
    trials: trials.map(({ number, state, value, params, intermediate, seconds }) => ({
      number,
      state: state as TrialState,
      value: value ?? intermediate.at(-1)?.value ?? null,
      params: params as Record<string, Described>,
      intermediate,
      seconds: seconds ?? null,
    })),
  };
}
