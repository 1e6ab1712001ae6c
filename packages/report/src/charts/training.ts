import * as Plot from '@observablehq/plot';
import { type BestStep, type Point, type Series } from '../figures/report-figures';
import { type Html } from '../page/html';
import { shownNumber } from '../page/numbers';
import { chart, COLOR } from './chart';

/** How a line is told from others without its colour. */
interface LineStyle {
  readonly color: string;
  /** Dashes of the line; default: unbroken. */
  readonly dash?: string;
  /** Whether each point is marked. */
  readonly dots?: boolean;
}

const STYLES: readonly LineStyle[] = [
  { color: COLOR.one },
  { color: COLOR.two, dash: '6 3', dots: true },
  { color: COLOR.three, dash: '2 3', dots: true },
];

/** A chart of one or several metrics by step, what is smoothed with its band, the best step marked. */
export function seriesChart(
  series: readonly Series[],
  {
    label,
    y,
    best,
    zero = false,
    log = false,
  }: { label: string; y: string; best?: BestStep | null; zero?: boolean; log?: boolean },
): Html {
  const marks = series.flatMap((one, i) => lineMarks(one, STYLES[i % STYLES.length]!));
  const finite = series.flatMap(({ points }) => finitePoints(points));
  const useLog = log && finite.every(({ value }) => value > 0);
  const top = Math.max(...finite.map(({ value }) => value));
  return chart({
    label,
    marginRight: series.length > 1 ? 108 : 24,
    x: { label: 'step', nice: true },
    y: {
      label: y,
      grid: true,
      nice: true,
      type: useLog ? 'log' : 'linear',
      zero: zero && !useLog,
      tickFormat: useLog ? '~g' : undefined,
    },
    marks: [
      ...(best === null || best === undefined || finite.length === 0
        ? []
        : [
            Plot.ruleX([best.step], { stroke: 'currentColor', strokeDasharray: '1 3' }),
            Plot.text([best.step], {
              x: (step: number) => step,
              y: () => top,
              text: () => `best step ${shownNumber(best.step)}`,
              dy: -12,
              textAnchor: 'end',
              dx: -4,
              fontWeight: 600,
            }),
          ]),
      ...marks,
      ...(series.length > 1 ? nameMarks(series, finite) : []),
    ],
  });
}

function lineMarks({ name, points, smooth }: Series, { color, dash, dots }: LineStyle): Plot.Markish[] {
  const finite = finitePoints(points);
  const smoothed = smooth.length > 0;
  const line = smoothed ? smooth.map(({ step, mean }) => ({ step, value: mean })) : finite;
  return [
    ...(smoothed
      ? [
          Plot.areaY(smooth, { x: 'step', y1: 'low', y2: 'high', fill: color, fillOpacity: 0.15 }),
          Plot.lineY(finite, { x: 'step', y: 'value', stroke: color, strokeOpacity: 0.35, strokeWidth: 1 }),
        ]
      : []),
    Plot.lineY(line, { x: 'step', y: 'value', stroke: color, strokeWidth: 2, strokeDasharray: dash }),
    ...(dots === true || (!smoothed && finite.length <= 30)
      ? [
          Plot.dot(finite, {
            x: 'step',
            y: 'value',
            r: 2.5,
            fill: color,
            title: (point: Finite) => `${name} ${shownNumber(point.value)} at step ${point.step}`,
          }),
        ]
      : []),
  ];
}

/** Names at the lines' ends, moved apart where they would lie on one another. */
function nameMarks(series: readonly Series[], finite: readonly Finite[]): Plot.Markish[] {
  const values = finite.map(({ value }) => value);
  const apart = 0.075 * (Math.max(...values) - Math.min(...values));
  const ends = series.flatMap(({ name, points, smooth }) => {
    const point = finitePoints(points).at(-1);
    return point === undefined ? [] : [{ name, step: point.step, value: smooth.at(-1)?.mean ?? point.value }];
  });
  ends.sort((a, b) => a.value - b.value);
  let below = -Infinity;
  const placed = ends.map((end) => {
    below = Math.max(end.value, below + apart);
    return { ...end, value: below };
  });
  return [Plot.text(placed, { x: 'step', y: 'value', text: 'name', dx: 8, textAnchor: 'start', fontWeight: 600 })];
}

interface Finite {
  readonly step: number;
  readonly value: number;
}

function finitePoints(points: readonly Point[]): Finite[] {
  return points.filter((point): point is Finite => typeof point.value === 'number');
}

/** Bars of one figure by epoch. */
export function epochChart(
  epochs: readonly { readonly epoch: number; readonly value: number }[],
  { label, y }: { label: string; y: string },
): Html {
  const most = Math.max(...epochs.map(({ value }) => value));
  return chart({
    label,
    height: 210,
    marginLeft: 64,
    x: { label: 'epoch', type: 'band', tickFormat: (epoch: number) => String(Math.round(epoch * 100) / 100) },
    marginTop: 34,
    y: { label: y, grid: true, zero: true, tickFormat: most < 1 ? '~g' : '~s' },
    marks: [
      Plot.barY(epochs, { x: 'epoch', y: 'value', fill: COLOR.one, insetLeft: 4, insetRight: 4 }),
      Plot.text(epochs, { x: 'epoch', y: 'value', text: ({ value }: { value: number }) => shownNumber(value), dy: -8 }),
      Plot.ruleY([0]),
    ],
  });
}
