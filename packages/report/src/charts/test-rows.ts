import * as Plot from '@observablehq/plot';
import { type ClassFigures, type ConfidenceBin, type TestFigures } from '../figures/report-figures';
import { type Html } from '../page/html';
import { shownNumber } from '../page/numbers';
import { chart, COLOR } from './chart';

/** F1 of each class, sorted, with precision and recall beside it. */
export function classChart(classes: readonly ClassFigures[]): Html {
  const height = 60 + 17 * classes.length;
  return chart({
    label: `F1 of ${classes.length} classes, the worst first`,
    height,
    width: 1130,
    marginLeft: leftMargin(classes.map(({ label }) => label)),
    x: { label: 'F1 (dot), between precision (|) and recall (×)', domain: [0, 1], grid: true, axis: 'both' },
    y: { label: null, domain: classes.map(({ label }) => label), tickFormat: shortLabel },
    marks: [
      Plot.ruleY(classes, { y: 'label', x1: 'precision', x2: 'recall', stroke: COLOR.muted, strokeWidth: 1.5 }),
      Plot.tickX(classes, { y: 'label', x: 'precision', stroke: COLOR.muted, strokeWidth: 1.5, inset: 3 }),
      Plot.dot(classes, { y: 'label', x: 'recall', symbol: 'times', stroke: COLOR.muted, r: 3 }),
      Plot.dot(classes, {
        y: 'label',
        x: 'f1',
        fill: COLOR.one,
        r: 4,
        title: ({ label, f1, precision, recall, support }: ClassFigures) =>
          `${label}: F1 ${shownNumber(f1)}, precision ${shownNumber(precision)}, recall ${shownNumber(recall)}, ${support} rows`,
      }),
    ],
  });
}

/** More classes than these have no room for their counts. */
const COUNTED = 24;

/**
 * The confusion matrix of some classes. Right rows lie on the diagonal, outlined; wrong ones are squares, the darker the more. With
 * many classes every fifth row and column has a line to follow.
 */
export function confusionChart({ labels, confusion }: Pick<TestFigures, 'labels' | 'confusion'>): Html {
  const n = labels.length;
  const cell = n <= COUNTED ? 30 : 12;
  const margin = leftMargin(labels, n <= COUNTED ? 7 : 6.2);
  const cells = confusion.map(([i, j, count]) => ({ i, j, count, right: i === j }));
  const wrong = cells.filter(({ right }) => !right);
  const most = Math.max(1, ...wrong.map(({ count }) => count));
  const title = ({ i, j, count }: { i: number; j: number; count: number }): string =>
    i === j ? `${labels[i]}: ${count} right` : `${labels[i]} taken for ${labels[j]}: ${count}`;
  const ticks = Array.from({ length: n }, (_, i) => i);
  const names = (i: number): string => shortLabel(labels[i]!);
  const inkOn = ({ count, right }: { count: number; right: boolean }): string =>
    !right && count > most / 4 ? 'var(--paper)' : 'currentColor';
  const fontSize = n <= COUNTED ? 11 : 10;
  return chart({
    label: `Confusion matrix of ${n} classes: rows are true classes, columns predicted ones`,
    width: margin + n * cell + 30,
    height: margin + n * cell + 50,
    marginLeft: margin,
    marginRight: 30,
    marginTop: margin,
    marginBottom: 50,
    style: { background: 'none', fontSize: `${fontSize}px` },
    x: { type: 'band', domain: ticks, padding: 0, label: 'predicted class', labelAnchor: 'center', axis: null },
    y: { type: 'band', domain: ticks, padding: 0, axis: null },
    marks: [
      Plot.axisX(ticks, { anchor: 'top', tickFormat: names, tickRotate: -90, tickSize: 3, label: null, fontSize }),
      Plot.axisY(ticks, { anchor: 'left', tickFormat: names, tickSize: 3, label: null, fontSize }),
      Plot.ruleY(
        ticks.filter((i) => i % 5 === 0),
        { stroke: 'currentColor', strokeOpacity: 0.12, dy: -cell / 2 },
      ),
      Plot.ruleX(
        ticks.filter((i) => i % 5 === 0),
        { stroke: 'currentColor', strokeOpacity: 0.12, dx: -cell / 2 },
      ),
      Plot.cell(
        cells.filter(({ right }) => right),
        { x: 'j', y: 'i', fill: COLOR.one, fillOpacity: 0.18, stroke: COLOR.one, inset: 1, title },
      ),
      Plot.cell(wrong, {
        x: 'j',
        y: 'i',
        fill: COLOR.two,
        fillOpacity: ({ count }: { count: number }) => 0.25 + 0.75 * Math.sqrt(count / most),
        inset: 1,
        title,
      }),
      ...(n <= COUNTED
        ? [
            Plot.text(cells, {
              x: 'j',
              y: 'i',
              text: ({ count }: { count: number }) => String(count),
              fill: inkOn,
            }),
          ]
        : []),
      ...(n > COUNTED
        ? [
            Plot.text(
              wrong.filter(({ count }) => count >= 2),
              {
                x: 'j',
                y: 'i',
                text: ({ count }: { count: number }) => String(count),
                fontSize: 8.5,
                fill: inkOn,
              },
            ),
          ]
        : []),
      Plot.frame({ stroke: COLOR.muted }),
    ],
  });
}

/** Reliability: how often predictions of a confidence are right. */
export function calibrationChart(bins: readonly ConfidenceBin[]): Html {
  const filled = bins.filter(
    (bin): bin is ConfidenceBin & { confidence: number; accuracy: number } => bin.accuracy !== null,
  );
  return chart({
    label: 'Share of right predictions by confidence',
    height: 320,
    width: 560,
    x: { label: 'confidence', domain: [0, 1], grid: true },
    y: { label: 'accuracy', domain: [0, 1], grid: true },
    marks: [
      Plot.link([0], { x1: 0, y1: 0, x2: 1, y2: 1, stroke: COLOR.muted, strokeDasharray: '4 3' }),
      Plot.line(filled, { x: 'confidence', y: 'accuracy', stroke: COLOR.one, strokeWidth: 2 }),
      Plot.dot(filled, {
        x: 'confidence',
        y: 'accuracy',
        fill: COLOR.one,
        r: 4,
        title: ({ right, wrong }: ConfidenceBin) => `${right} of ${right + wrong} right`,
      }),
    ],
  });
}

/** How many predictions of each confidence are right and wrong. */
export function confidenceChart(bins: readonly ConfidenceBin[]): Html {
  const bars = bins.flatMap(({ lower, upper, right, wrong }) => [
    { lower, upper, rows: right },
    { lower, upper, rows: -wrong },
  ]);
  return chart({
    label: 'Rows by confidence, right ones upwards and wrong ones downwards',
    height: 320,
    width: 560,
    x: { label: 'confidence', domain: [0, 1] },
    y: {
      label: 'rows: right ↑, wrong ↓',
      grid: true,
      nice: true,
      tickFormat: (rows: number) => String(Math.abs(rows)),
    },
    marks: [
      Plot.rectY(bars, {
        x1: 'lower',
        x2: 'upper',
        y: 'rows',
        inset: 1,
        fill: ({ rows }: { rows: number }) => (rows >= 0 ? COLOR.one : COLOR.two),
      }),
      Plot.ruleY([0]),
    ],
  });
}

const LONGEST_LABEL = 34;

function shortLabel(label: string): string {
  return label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label;
}

/** Room for the longest name. */
function leftMargin(labels: readonly string[], perCharacter = 7): number {
  return 14 + perCharacter * Math.max(4, ...labels.map((label) => shortLabel(label).length));
}
