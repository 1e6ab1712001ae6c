import type { Described, RunResults, TestResults, TrialState } from '@qlora-js/report';
import type { TrainingContext } from '../run/context';
import { IMPORTANCE_METHOD } from '../search/importances';
import type { SearchResult } from '../search/result';
import { runtimeVersions, type RunReport } from './report';
import { VERSION } from '../version';

/** What a report is drawn from besides a run's JSON lines. */
export interface RunResultParts {
  /** The training's figures; undefined for a search alone. */
  readonly report?: RunReport;
  /** The test rows, one by one; of one label a text alone. */
  readonly test?: TestResults;
  /** The trials. */
  readonly found?: SearchResult;
}

/** What `report.html` shows that a run's JSON lines do not say: what was run, the test rows, the search. */
export function runResults(context: TrainingContext, { report, test, found }: RunResultParts): RunResults {
  return {
    description: description(context, report),
    ...(test === undefined ? {} : { test }),
    ...(found === undefined ? {} : { search: searchResults(found) }),
  };
}

function description(
  { base, learning, settings, splits, device, replicas }: TrainingContext,
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
      name: learning.dataName,
      task: learning.task,
      'training rows': splits.train.numRows,
      'validation rows': splits.validation.numRows,
      'test rows': splits.test.numRows,
      maxLength: padding.maxLength,
      ...learning.dataFacts,
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

function searchResults({ name, goal, importances, trials }: SearchResult): NonNullable<RunResults['search']> {
  return {
    name,
    objective: `eval_${goal.metric}`,
    direction: goal.direction,
    logarithmic: ['learning_rate'],
    ...(importances === undefined ? {} : { importances: { method: IMPORTANCE_METHOD, values: importances } }),
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
