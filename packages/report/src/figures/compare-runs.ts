import { accuracyScore, bootstrapConfidenceInterval, f1Score } from '@qlora-js/metrics';
import { ReportError } from '../errors';
import { type TestResults } from '../input';
import { type ReportFigures } from './report-figures';

/** A run to put beside others. */
export interface ComparedRun {
  /** Its name in the comparison; no two are the same. */
  readonly name: string;
  readonly figures: ReportFigures;
  /** Its test rows; intervals need them. */
  readonly test?: TestResults;
}

/** A score with its interval over the test rows. */
export interface ScoreInterval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

/** One run's scores, and what they are more or less than the first run's. */
export interface RunScores {
  readonly name: string;
  readonly accuracy: ScoreInterval;
  /** F1 weighted by the classes' rows. */
  readonly f1: ScoreInterval;
  /** Its score less the first run's, drawn on the same rows; null for the first run. */
  readonly accuracyDifference: ScoreInterval | null;
  readonly f1Difference: ScoreInterval | null;
}

/** Runs side by side. */
export interface RunComparison {
  readonly version: 1;
  readonly runs: readonly string[];
  /** Figures by name, a column a run; null where a run has none. */
  readonly figures: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  /** None where the runs' test rows are not the same. */
  readonly scores: readonly RunScores[];
  readonly confidenceLevel: number;
  readonly resamples: number;
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/** How intervals are drawn. */
export interface CompareOptions {
  /** Default 0.95. */
  readonly confidenceLevel?: number;
  /** Default 1000. */
  readonly resamples?: number;
  /** Default 0. */
  readonly seed?: number;
}

type Rows = { readonly truth: readonly number[]; readonly predicted: readonly number[] };

/**
 * Puts runs side by side. Where all have the same test rows their scores come with percentile bootstrap intervals, and each
 * one's difference from the first with a paired one: the same rows are drawn for both.
 *
 * @throws ReportError NOT_COMPARABLE for fewer than two runs, or two of one name
 */
export function compareRuns(runs: readonly ComparedRun[], options: CompareOptions = {}): RunComparison {
  const { confidenceLevel = 0.95, resamples = 1000, seed = 0 } = options;
  const names = runs.map(({ name }) => name);
  if (runs.length < 2 || new Set(names).size < runs.length) {
    throw new ReportError('NOT_COMPARABLE', `there are ${runs.length} runs: ${names.join(', ')}`, {
      value: names,
      remedy: 'Give two runs or more, each with a name of its own',
    });
  }
  const all = [...new Set(runs.flatMap(({ figures }) => Object.keys(figures.summary)))];
  const figures = all.flatMap((name) => {
    const values = runs.map(({ figures: { summary } }) => (typeof summary[name] === 'number' ? summary[name] : null));
    return values.some((value) => value !== null) ? [{ name, values }] : [];
  });
  const tests = runs.map(({ test }) => test).filter((test) => test !== undefined);
  const together = tests.length === runs.length && tests.every((test) => sameRows(test, tests[0]!));
  const settings = { confidenceLevel, resamples, seed };
  const scores = together
    ? runs.map(({ name }, i): RunScores => {
        const [test, first] = [tests[i]!, tests[0]!];
        return {
          name,
          accuracy: interval(test, accuracyScore, settings),
          f1: interval(test, weightedF1, settings),
          accuracyDifference: i === 0 ? null : difference({ test, first, score: accuracyScore, settings }),
          f1Difference: i === 0 ? null : difference({ test, first, score: weightedF1, settings }),
        };
      })
    : [];
  const notes = together
    ? []
    : [
        'The runs have no test rows in common, so that their scores have no paired intervals and differences may be chance.',
      ];
  return { version: 1, runs: names, figures, scores, confidenceLevel, resamples, notes };
}

type Score = (truth: readonly number[], predicted: readonly number[]) => number;
type Settings = Required<CompareOptions>;

const weightedF1: Score = (truth, predicted) => f1Score(truth, predicted, { average: 'weighted' });

function interval({ truth, predicted }: Rows, score: Score, settings: Settings): ScoreInterval {
  const { estimate, low, high } = bootstrapConfidenceInterval({ data: [truth, predicted], metric: score, ...settings });
  return { estimate, low, high };
}

function difference(parts: { test: Rows; first: Rows; score: Score; settings: Settings }): ScoreInterval {
  const { test, first, score, settings } = parts;
  const { estimate, low, high } = bootstrapConfidenceInterval({
    data: [test.truth, test.predicted, first.predicted],
    metric: (truth, mine, theirs) => score(truth, mine) - score(truth, theirs),
    ...settings,
  });
  return { estimate, low, high };
}

/** Rows are the same where their classes and, where both have them, their texts are. */
function sameRows(a: TestResults, b: TestResults): boolean {
  const same = <T>(x: readonly T[], y: readonly T[]): boolean =>
    x.length === y.length && x.every((value, i) => value === y[i]);
  const texts = a.texts === undefined || b.texts === undefined || same(a.texts, b.texts);
  return texts && same(a.labels, b.labels) && same(a.truth, b.truth);
}
