import { IMPORTANCE_METHOD, importancesOf } from '@qlora-js/finetune';
import { HpoError, type FrozenTrial, type Study } from '@qlora-js/hpo';
import { plotTrials, shortNumber } from './plot';

/** Widest line. */
const WIDTH = 78;
const PLOT_HEIGHT = 10;
const BAR = 30;

/** Rows with their columns in line, numbers to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const isNumber = (cell: string): boolean => /^\*?-?[\d.]+(e[+-]\d+)?$/.test(cell);
  return rows.map((row) =>
    row
      .map((cell, column) => (isNumber(cell) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

function shown(value: unknown): string {
  if (typeof value === 'number') return shortNumber(value);
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function seconds({ datetimeStart, datetimeComplete }: FrozenTrial): string {
  if (datetimeStart === undefined || datetimeComplete === undefined) return '';
  return ((datetimeComplete.getTime() - datetimeStart.getTime()) / 1000).toFixed(1);
}

/** Names of parameters that some trial has, in the order in which they first come. */
function paramNames(trials: readonly FrozenTrial[]): string[] {
  return [...new Set(trials.flatMap(({ distributions }) => Object.keys(distributions)))];
}

function table(study: Study): string[] {
  const { trials } = study;
  const names = paramNames(trials);
  const best = bestOf(study);
  const rows = trials.map((trial) => [
    `${trial.number === best?.number ? '*' : ''}${trial.number}`,
    trial.state.toLowerCase(),
    trial.value === undefined ? '' : shortNumber(trial.value),
    ...names.map((name) => (Object.hasOwn(trial.distributions, name) ? shown(trial.params[name]) : '')),
    seconds(trial),
  ]);
  return aligned([['trial', 'state', study.metricNames?.[0] ?? 'value', ...names, 'seconds'], ...rows]);
}

function bestOf(study: Study): FrozenTrial | undefined {
  try {
    return study.bestTrial;
  } catch (error) {
    if (HpoError.isInstance(error) && error.code === 'NO_BEST_TRIAL') return undefined;
    throw error;
  }
}

/** How many trials are in which state, in words. */
function stateCounts(trials: readonly Pick<FrozenTrial, 'state'>[]): string {
  const words = { WAITING: 'waiting', RUNNING: 'running', COMPLETE: 'complete', PRUNED: 'pruned', FAIL: 'failed' };
  const counts = Object.entries(words).map(
    ([state, word]) => [trials.filter((trial) => trial.state === state).length, word] as const,
  );
  const some = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return some.length === 0 ? 'no trials' : some.join(', ');
}

/** A study as people read it: counts, the best, the trials, importances, the best value over the trials. */
export function studyLines(study: Study): string[] {
  const { trials, direction } = study;
  const best = bestOf(study);
  const metric = study.metricNames?.[0] ?? 'value';
  const lines = [`${study.name}: ${direction} ${metric}, ${stateCounts(trials)}`];
  if (trials.length > 0) lines.push('', ...table(study));
  if (best === undefined) return lines;
  const params = Object.entries(best.params).map(([name, value]) => `${name} ${shown(value)}`);
  lines.push('', `best: ${metric} ${shortNumber(best.value!)} in trial ${best.number} with ${params.join(', ')}`);
  const importances = importancesOf(study);
  if (importances !== undefined) {
    const rows = Object.entries(importances).map(([name, share]) => [
      name,
      share.toFixed(2),
      '#'.repeat(Math.round(share * BAR)),
    ]);
    lines.push('', `importances (${IMPORTANCE_METHOD}, of a value among the best tenth):`, ...aligned(rows));
  }
  const plot = plotTrials(trials, { direction, size: { width: WIDTH - 12, height: PLOT_HEIGHT } });
  lines.push('', `${metric} by trial: o a trial, - the best so far`, ...plot);
  return lines;
}
