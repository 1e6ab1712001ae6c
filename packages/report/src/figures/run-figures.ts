import { type RunEvent } from '@qlora-js/tracking';
import { type Described, type EarlierFigures, type ReportInput } from '../input';
import {
  type BestStep,
  type ComparedFigure,
  type EpochFigures,
  type Figure,
  type ReportFigures,
  type RunState,
} from './report-figures';
import { checkResults } from './check-results';
import { searchFigures } from './search-figures';
import { asFigure, seriesOf } from './series';
import { testFigures } from './test-figures';

/** Metrics that say which step is best, the first that a run has; the highest value wins, of losses the lowest. */
const BEST_BY = ['eval_f1', 'eval_accuracy', 'eval_loss'];

/** Figures that an epoch has, not a step. */
const EPOCH_FIGURES = ['epoch_time_sec', 'tokens_per_sec_est', 'real_tokens_per_sec', 'gpu_max_mem_allocated_GiB'];

/** What is shown by epoch, or is no result. */
const NOT_A_SERIES = new Set(['epoch', ...EPOCH_FIGURES]);

/** Silence after which a run without an end is taken to be dead. */
const SILENCE_MS = 10 * 60 * 1000;

/**
 * Every figure of a report. Runs that go on, were killed or hold NaN give what there is, and notes that say so.
 *
 * @throws ReportError INVALID_RESULTS for results of another shape, or test rows that do not fit together
 */
export function reportFigures({ events, results = {}, title, now = Date.now() }: ReportInput): ReportFigures {
  checkResults(results);
  const start = events.find((event) => event.event === 'start');
  const finish = events.findLast((event) => event.event === 'start' || event.event === 'finish');
  const state: RunState = start === undefined ? 'none' : finish?.event === 'finish' ? finish.status : 'unfinished';
  const metrics = metricsByName(events);
  const series = [...metrics]
    .filter(([name]) => !NOT_A_SERIES.has(name))
    .map(([name, points]) => seriesOf(name, points));
  const summary = summaryOf(events);
  const lastLine = events.at(-1)?.time ?? null;
  const test = results.test === undefined ? null : testFigures(results.test);
  const search = results.search === undefined ? null : searchFigures(results.search);
  return {
    version: 1,
    title: title ?? start?.name ?? results.search?.name ?? 'Run',
    state,
    started: start?.time ?? null,
    ended: finish?.event === 'finish' ? finish.time : null,
    lastLine,
    notes: notesOf({ events, metrics, state, lastLine, now }),
    description: { ...(start === undefined ? {} : { run: described(start) }), ...results.description },
    summary,
    best: bestStep(metrics),
    series,
    epochs: epochsOf(events),
    test,
    search,
    comparison: results.earlier === undefined ? null : compared(results.earlier, summary),
    saved: results.saved ?? null,
  };
}

type Metrics = Map<string, { step: number; value: number }[]>;

function metricsByName(events: readonly RunEvent[]): Metrics {
  const metrics: Metrics = new Map();
  for (const event of events) {
    if (event.event !== 'log') continue;
    for (const [name, value] of Object.entries(event.metrics)) {
      const points = metrics.get(name) ?? [];
      points.push({ step: event.step, value });
      metrics.set(name, points);
    }
  }
  return metrics;
}

function epochsOf(events: readonly RunEvent[]): EpochFigures[] {
  const byEpoch = new Map<number, Record<string, Figure>>();
  for (const event of events) {
    if (event.event !== 'log') continue;
    const named = EPOCH_FIGURES.filter((name) => Object.hasOwn(event.metrics, name));
    const epoch = event.metrics['epoch'];
    if (named.length === 0 || epoch === undefined) continue;
    const figures = Object.fromEntries(named.map((name) => [name, asFigure(event.metrics[name]!)]));
    byEpoch.set(epoch, { ...byEpoch.get(epoch), ...figures });
  }
  return [...byEpoch].sort(([a], [b]) => a - b).map(([epoch, figures]) => ({ epoch, figures }));
}

function summaryOf(events: readonly RunEvent[]): Record<string, Described> {
  const summary: Record<string, Described> = {};
  for (const event of events) {
    if (event.event !== 'summary') continue;
    for (const [name, value] of Object.entries(event.values)) {
      if (value === null || typeof value !== 'object') summary[name] = value;
    }
  }
  return summary;
}

function bestStep(metrics: Metrics): BestStep | null {
  for (const metric of BEST_BY) {
    const finite = (metrics.get(metric) ?? []).filter(({ value }) => Number.isFinite(value));
    if (finite.length === 0) continue;
    const sign = metric === 'eval_loss' ? -1 : 1;
    const best = finite.reduce((a, b) => (sign * b.value > sign * a.value ? b : a));
    return { step: best.step, metric, value: best.value };
  }
  return null;
}

function notesOf(about: {
  events: readonly RunEvent[];
  metrics: Metrics;
  state: RunState;
  lastLine: string | null;
  now: number;
}): string[] {
  const { events, metrics, state, lastLine, now } = about;
  const notes: string[] = [];
  if (state === 'unfinished' && lastLine !== null) {
    const silent = now - Date.parse(lastLine) > SILENCE_MS;
    const word = silent ? 'It was most likely killed' : 'It may still be going';
    notes.push(
      `No end of this run was written. ${word}: the last line is of ${lastLine}. The figures are those so far.`,
    );
  }
  if (state === 'failed') notes.push('This run failed. The figures are those up to its end.');
  if (state === 'pruned') notes.push('The search gave this trial up. The figures are those up to its end.');
  if (state === 'interrupted') notes.push('This run was interrupted. The figures are those up to its end.');
  if (state !== 'none' && metrics.size === 0) notes.push('Nothing was logged.');
  for (const [name, points] of metrics) {
    const bad = points.filter(({ value }) => !Number.isFinite(value));
    if (bad.length > 0) {
      notes.push(
        `${name} is not a finite number ${times(bad.length)}, first at step ${bad[0]!.step}. Charts leave these points out.`,
      );
    }
  }
  const lost = events.reduce((sum, event) => (event.event === 'lost' ? sum + event.lines : sum), 0);
  if (lost > 0) notes.push(`${lost} lines could not be written and are missing.`);
  const starts = events.filter(({ event }) => event === 'start').length;
  if (starts > 1) notes.push(`This run was gone on with ${times(starts - 1)}.`);
  return notes;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function described(start: Extract<RunEvent, { event: 'start' }>): Record<string, Described> {
  const config = Object.entries(start.config).map(([key, value]): [string, Described] => [
    key,
    typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
  ]);
  const known: Record<string, Described> = { name: start.name, id: start.id, project: start.project };
  if (start.group !== undefined) known['group'] = start.group;
  if (start.tags.length > 0) known['tags'] = start.tags.join(', ');
  return { ...known, ...Object.fromEntries(config) };
}

function compared(earlier: EarlierFigures, summary: Readonly<Record<string, Described>>): ReportFigures['comparison'] {
  const figures = Object.entries(earlier.figures).map(([name, before]): ComparedFigure => {
    const value = summary[name];
    const now = typeof value === 'number' ? value : null;
    const difference = before === null || now === null ? null : now - before;
    const percent =
      difference === null || before === null || before === 0 ? null : (100 * difference) / Math.abs(before);
    return { name, earlier: before, now, difference, percent };
  });
  return { earlier: earlier.name, figures };
}
