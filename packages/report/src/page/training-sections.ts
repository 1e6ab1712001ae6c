import { type ReportFigures, type Series } from '../figures/report-figures';
import { epochChart, seriesChart } from '../charts/training';
import { html, type Html } from './html';
import { shownNumber } from './numbers';
import { figure, type Section, table } from './parts';

const LOSSES = ['loss', 'eval_loss'];
const STEP_FIGURES = ['learning_rate', 'grad_norm', 'skipped_steps', 'loss_scale'];
const NOT_SHOWN = /_(runtime|per_second)$|^train_|^total_time_sec$/;

const TITLES: Readonly<Record<string, string>> = {
  learning_rate: 'Learning rate',
  grad_norm: 'Gradient norm',
  skipped_steps: 'Skipped steps',
  loss_scale: 'Loss scale',
  loss_gap: 'Gap: validation less training loss',
  epoch_time_sec: 'Seconds an epoch',
  tokens_per_sec_est: 'Tokens a second, estimated from padded lengths',
  real_tokens_per_sec: 'Real tokens a second',
  gpu_max_mem_allocated_GiB: 'Peak memory, GiB',
};

/** Loss, metrics and what the optimiser did, by step. */
export function trainingSections({ series, best, epochs }: ReportFigures): Section[] {
  const named = (names: readonly string[]): Series[] =>
    names.flatMap((name) => series.find((one) => one.name === name && one.points.length > 0) ?? []);
  const losses = named(LOSSES);
  const gap = named(['loss_gap']);
  const metrics = series.filter(
    ({ name, points }) => /^eval_/.test(name) && name !== 'eval_loss' && !NOT_SHOWN.test(name) && points.length > 0,
  );
  const charts: Html[] = [];
  if (losses.length > 0) {
    charts.push(seriesFigure(losses, { title: 'Loss', y: 'loss', best }));
  }
  if (gap.length > 0) charts.push(seriesFigure(gap, { title: TITLES['loss_gap']!, y: 'gap', best, zero: true }));
  if (metrics.length > 0)
    charts.push(seriesFigure(metrics.slice(0, 3), { title: 'Validation metrics', y: 'score', best }));
  for (const one of named(STEP_FIGURES)) {
    const title = TITLES[one.name] ?? one.name;
    charts.push(
      seriesFigure([one], { title, y: one.name, zero: one.name !== 'loss_scale', log: one.name === 'loss_scale' }),
    );
  }
  const sections: Section[] = [];
  if (charts.length > 0)
    sections.push({ id: 'training', title: 'Training by step', body: html`<div class="grid">${charts}</div>` });
  const speed = epochFigures(epochs);
  if (speed.length > 0)
    sections.push({ id: 'speed', title: 'Speed and memory by epoch', body: html`<div class="grid">${speed}</div>` });
  return sections;
}

interface SeriesFigureOptions {
  readonly title: string;
  readonly y: string;
  readonly best?: ReportFigures['best'];
  readonly zero?: boolean;
  readonly log?: boolean;
}

function seriesFigure(series: readonly Series[], { title, ...options }: SeriesFigureOptions): Html {
  const names = series.map(({ name }) => name).join(', ');
  const steps = [...new Set(series.flatMap(({ points }) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  const columns = series.map(({ name, points }) => {
    const values = new Map(points.map(({ step, value }) => [step, value]));
    const cell = (step: number): string => (values.has(step) ? shownNumber(values.get(step)) : '');
    return { head: name, cell, kind: 'n' as const };
  });
  const smoothed = series.filter(({ window }) => window > 0);
  const caption =
    smoothed.length === 0
      ? undefined
      : `Bold: the mean of ${[...new Set(smoothed.map(({ window }) => window))].join(' or ')} neighbouring points, and one standard deviation around it. Thin: the points themselves.`;
  return figure({
    title,
    chart: seriesChart(series, { label: `${title} by step: ${names}`, ...options }),
    caption,
    data: table(
      steps,
      [{ head: 'step', cell: (step) => shownNumber(step), kind: 'n' }, ...columns],
      `${title} by step`,
    ),
  });
}

function epochFigures(epochs: ReportFigures['epochs']): Html[] {
  const names = [...new Set(epochs.flatMap(({ figures }) => Object.keys(figures)))];
  return names.flatMap((name) => {
    const rows = epochs.flatMap(({ epoch, figures }) => {
      const value = figures[name];
      return typeof value === 'number' ? [{ epoch, value }] : [];
    });
    const title = TITLES[name] ?? name;
    if (rows.length === 0) return [];
    return figure({
      title,
      chart: epochChart(rows, { label: `${title} by epoch`, y: name }),
      data: table(
        rows,
        [
          { head: 'epoch', cell: ({ epoch }) => shownNumber(epoch), kind: 'n' },
          { head: name, cell: ({ value }) => shownNumber(value), kind: 'n' },
        ],
        `${title} by epoch`,
      ),
    });
  });
}
