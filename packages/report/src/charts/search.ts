import * as Plot from '@observablehq/plot';
import { type SearchFigures } from '../figures/report-figures';
import { isComplete } from '../figures/search-figures';
import { type TrialResult } from '../input';
import { type Html } from '../page/html';
import { shownNumber, shownValue } from '../page/numbers';
import { chart, COLOR } from './chart';

/** Symbols tell the states apart without colour. */
const SYMBOLS: Readonly<Record<string, 'circle' | 'times' | 'triangle'>> = {
  COMPLETE: 'circle',
  PRUNED: 'times',
  RUNNING: 'triangle',
};

type Valued = TrialResult & { readonly value: number };

/** Trials with a value, the last reported one of those that were pruned. */
export function valuedTrials(trials: readonly TrialResult[]): Valued[] {
  return trials.filter((trial): trial is Valued => typeof trial.value === 'number' && Number.isFinite(trial.value));
}

/** Values by trial, and the best so far. */
export function historyChart({ trials, bestSoFar, objective }: SearchFigures): Html {
  return chart({
    label: `${objective} by trial, and the best so far`,
    x: { label: 'trial', nice: true, tickFormat: 'd', ticks: Math.min(10, trials.length) },
    y: { label: objective, grid: true, nice: true },
    marks: [
      Plot.lineY(bestSoFar, { x: 'number', y: 'value', curve: 'step-after', stroke: COLOR.two, strokeWidth: 2 }),
      Plot.dot(valuedTrials(trials), trialDot('number', 'value')),
    ],
  });
}

/** How much each parameter matters. */
export function importanceChart({ importances }: { importances: NonNullable<SearchFigures['importances']> }): Html {
  const bars = Object.entries(importances.values)
    .map(([name, value]) => ({ name, value }))
    .sort((a, b) => b.value - a.value);
  return chart({
    label: `Importance of ${bars.length} parameters by ${importances.method}`,
    height: 70 + 26 * bars.length,
    marginLeft: 150,
    marginRight: 60,
    x: { label: 'importance, shares of 1', domain: [0, 1], grid: true },
    y: { label: null, domain: bars.map(({ name }) => name) },
    marks: [
      Plot.barX(bars, { y: 'name', x: 'value', fill: COLOR.one, insetTop: 4, insetBottom: 4 }),
      Plot.text(bars, {
        y: 'name',
        x: 'value',
        text: ({ value }: { value: number }) => shownNumber(value),
        dx: 4,
        textAnchor: 'start',
      }),
    ],
  });
}

/** The objective against one parameter. */
export function sliceChart(search: SearchFigures, parameter: string): Html {
  const valued = valuedTrials(search.trials).filter(({ params }) => Object.hasOwn(params, parameter));
  const numeric = valued.every(({ params }) => typeof params[parameter] === 'number');
  const log =
    numeric && search.logarithmic.includes(parameter) && valued.every(({ params }) => Number(params[parameter]) > 0);
  const x = (trial: TrialResult): number | string =>
    numeric ? Number(trial.params[parameter]) : shownValue(trial.params[parameter]!);
  return chart({
    label: `${search.objective} by ${parameter}`,
    width: 320,
    height: 220,
    x: {
      label: parameter,
      type: numeric ? (log ? 'log' : 'linear') : 'point',
      nice: numeric,
      ticks: 4,
      tickFormat: log ? powersOfTen : undefined,
    },
    y: { label: search.objective, grid: true, nice: true, ticks: 5 },
    marks: [Plot.dot(valued, { ...trialDot('number', 'value'), x })],
  });
}

/** Every trial as a line over all its parameters and its value; the best one bold. */
export function parallelChart(search: SearchFigures): Html {
  const valued = valuedTrials(search.trials);
  const axes = [...search.parameters, search.objective];
  const position = new Map(axes.map((axis) => [axis, scaleOf(search, axis, valued)]));
  const points = valued.flatMap((trial) =>
    axes.flatMap((axis) => {
      const at = position.get(axis)!.at(trial);
      return at === undefined ? [] : [{ trial, axis, at }];
    }),
  );
  const ends = axes.flatMap((axis) => position.get(axis)!.ticks.map(({ at, text }) => ({ axis, at, text })));
  const best = search.best?.number;
  return chart({
    label: `${valued.length} trials over ${search.parameters.length} parameters and ${search.objective}; the best is bold`,
    width: Math.max(1130, 130 * axes.length),
    height: 340,
    marginLeft: 70,
    marginRight: 70,
    marginTop: 30,
    x: { type: 'point', domain: axes, label: null, axis: 'top', tickSize: 0 },
    y: { domain: [-0.05, 1.05], axis: null },
    marks: [
      Plot.ruleX(axes, { stroke: COLOR.muted }),
      Plot.line(points, {
        x: 'axis',
        y: 'at',
        z: ({ trial }: { trial: TrialResult }) => trial.number,
        stroke: ({ trial }: { trial: TrialResult }) => (trial.number === best ? COLOR.two : COLOR.one),
        strokeWidth: 1,
        strokeOpacity: 0.45,
      }),
      Plot.line(
        points.filter(({ trial }) => trial.number === best),
        { x: 'axis', y: 'at', stroke: COLOR.two, strokeWidth: 3 },
      ),
      Plot.text(ends, {
        x: 'axis',
        y: 'at',
        text: 'text',
        dx: 5,
        textAnchor: 'start',
        stroke: 'var(--paper)',
        strokeWidth: 4,
        fill: 'currentColor',
      }),
    ],
  });
}

/** Reported values by step; pruned trials are dashed. */
export function intermediateChart({ trials, objective, best }: SearchFigures): Html {
  const points = trials.flatMap((trial) =>
    (trial.intermediate ?? [])
      .filter(({ value }) => Number.isFinite(value))
      .map(({ step, value }) => ({ trial, step, value })),
  );
  const of = (state: (trial: TrialResult) => boolean) => points.filter(({ trial }) => state(trial));
  const line = { x: 'step', y: 'value', z: ({ trial }: { trial: TrialResult }) => trial.number } as const;
  const isBest = (trial: TrialResult): boolean => trial.number === best?.number;
  const pruned = trials.filter(({ state }) => state === 'PRUNED');
  const ends = pruned.flatMap((trial) => {
    const last = points.filter((point) => point.trial === trial).at(-1);
    return last === undefined ? [] : [last];
  });
  return chart({
    label: `${objective} while trials ran; ${pruned.length} pruned ones are dashed and end in a cross`,
    x: { label: 'step', nice: true },
    y: { label: objective, grid: true, nice: true },
    marks: [
      Plot.lineY(
        of((trial) => trial.state !== 'PRUNED' && !isBest(trial)),
        { ...line, stroke: COLOR.one, strokeOpacity: 0.6 },
      ),
      Plot.lineY(
        of((trial) => trial.state === 'PRUNED'),
        { ...line, stroke: COLOR.muted, strokeDasharray: '3 3' },
      ),
      Plot.lineY(of(isBest), { ...line, stroke: COLOR.two, strokeWidth: 3 }),
      Plot.dot(ends, {
        x: 'step',
        y: 'value',
        symbol: 'times',
        stroke: COLOR.muted,
        r: 4,
        title: ({ trial }: { trial: TrialResult }) => `trial ${trial.number}, pruned`,
      }),
    ],
  });
}

function trialDot(x: string, y: string): Plot.DotOptions {
  return {
    x,
    y,
    symbol: ({ state }: TrialResult) => SYMBOLS[state] ?? 'circle',
    r: 4,
    stroke: ({ state }: TrialResult) => (state === 'PRUNED' ? COLOR.muted : COLOR.one),
    fill: ({ state }: TrialResult) => (state === 'COMPLETE' ? COLOR.one : 'none'),
    fillOpacity: 0.7,
    title: (trial: TrialResult) => `trial ${trial.number}, ${trial.state.toLowerCase()}: ${shownNumber(trial.value)}`,
  };
}

/** The ticks of a logarithmic axis that have a name. */
function powersOfTen(value: number): string {
  const power = Math.log10(value);
  return Math.abs(power - Math.round(power)) < 1e-9 ? `1e${Math.round(power)}` : '';
}

interface AxisScale {
  readonly at: (trial: TrialResult) => number | undefined;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Where a trial crosses an axis, from 0 at its lowest value to 1 at its highest. */
function scaleOf(search: SearchFigures, axis: string, trials: readonly Valued[]): AxisScale {
  const of = (trial: TrialResult) => (axis === search.objective ? trial.value : trial.params[axis]);
  const values = trials.map(of).filter((value) => value !== undefined && value !== null);
  if (values.every((value) => typeof value === 'number')) {
    const log = search.logarithmic.includes(axis) && values.every((value) => value > 0);
    const place = log ? Math.log : (value: number): number => value;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const width = place(high) - place(low);
    const at = (value: number): number => (width > 0 ? (place(value) - place(low)) / width : 0.5);
    const ticks = width > 0 ? [low, high] : [low];
    return {
      at: (trial) => (typeof of(trial) === 'number' ? at(of(trial) as number) : undefined),
      ticks: ticks.map((value) => ({ at: at(value), text: shownNumber(value) })),
    };
  }
  const names = [...new Set(values.map((value) => String(value)))].sort();
  const at = (name: string): number => (names.length > 1 ? names.indexOf(name) / (names.length - 1) : 0.5);
  return {
    at: (trial) => (of(trial) === undefined || of(trial) === null ? undefined : at(String(of(trial)))),
    ticks: names.map((name) => ({ at: at(name), text: name })),
  };
}

/** Whether there is a trial to draw. */
export function hasTrials({ trials }: SearchFigures): boolean {
  return trials.some(isComplete) || valuedTrials(trials).length > 0;
}
