import * as Plot from '@observablehq/plot';
import { type ScoreInterval } from '../figures/compare-runs';
import { type Html } from '../page/html';
import { chart, COLOR } from './chart';

/** Scores of runs with their intervals; a line at 0 where they are differences. */
export function intervalChart(
  rows: readonly (ScoreInterval & { readonly name: string })[],
  { label, x, zero = false }: { label: string; x: string; zero?: boolean },
): Html {
  return chart({
    label,
    height: 70 + 30 * rows.length,
    marginLeft: 30 + 7 * Math.min(24, Math.max(...rows.map(({ name }) => name.length))),
    x: { label: x, grid: true, nice: true },
    y: { label: null, domain: rows.map(({ name }) => name), tickFormat: (name: string) => name.slice(0, 24) },
    marks: [
      ...(zero ? [Plot.ruleX([0], { stroke: 'currentColor', strokeDasharray: '4 3' })] : []),
      Plot.ruleY(rows, { y: 'name', x1: 'low', x2: 'high', stroke: COLOR.one, strokeWidth: 2 }),
      Plot.tickX(rows, { y: 'name', x: 'low', stroke: COLOR.one, inset: 8 }),
      Plot.tickX(rows, { y: 'name', x: 'high', stroke: COLOR.one, inset: 8 }),
      Plot.dot(rows, { y: 'name', x: 'estimate', fill: COLOR.one, r: 4.5 }),
    ],
  });
}
