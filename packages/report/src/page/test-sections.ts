import { calibrationChart, classChart, confidenceChart, confusionChart } from '../charts/test-rows';
import { type TestFigures } from '../figures/report-figures';
import { html, type Html } from './html';
import { shownNumber, shownPercent } from './numbers';
import { figure, scrolling, type Section, table } from './parts';

/** Above this the whole matrix is joined by one of the classes that go wrong most. */
const READ_AT_ONCE = 24;
const FOCUS = 16;

/** What the test rows say: classes, confusion, calibration, errors. */
export function testSections(test: TestFigures): Section[] {
  const sections: Section[] = [
    { id: 'classes', title: `Classes, the worst first`, body: classFigure(test) },
    { id: 'confusion', title: 'What is taken for what', body: [pairsTable(test), ...confusionFigures(test)] },
  ];
  if (test.confidence.length > 0) {
    sections.push({ id: 'calibration', title: 'Confidence', body: calibrationFigures(test) });
  }
  if (test.errors.length > 0) sections.push({ id: 'errors', title: 'Errors to look at', body: errorsTable(test) });
  return sections;
}

function classFigure({ classes, rows }: TestFigures): Html {
  return figure({
    title: `F1 of ${classes.length} classes`,
    chart: classChart(classes),
    caption: `On ${rows.toLocaleString('en')} test rows.`,
    wide: true,
    data: table(
      classes,
      [
        { head: 'class', cell: ({ label }) => label },
        { head: 'F1', cell: ({ f1 }) => shownNumber(f1), kind: 'n' },
        { head: 'precision', cell: ({ precision }) => shownNumber(precision), kind: 'n' },
        { head: 'recall', cell: ({ recall }) => shownNumber(recall), kind: 'n' },
        { head: 'rows', cell: ({ support }) => shownNumber(support), kind: 'n' },
      ],
      'Scores by class',
    ),
  });
}

function pairsTable({ pairs }: TestFigures): Html {
  if (pairs.length === 0) return html`<p>Every test row is right.</p>`;
  return html`<h3>The pairs most often confused</h3>
    ${scrolling(
      table(
        pairs,
        [
          { head: 'true class', cell: ({ truth }) => truth },
          { head: 'taken for', cell: ({ predicted }) => predicted },
          { head: 'rows', cell: ({ count }) => shownNumber(count), kind: 'n' },
          {
            head: 'examples',
            cell: ({ examples }) => examples.map((text) => html`<blockquote>${text}</blockquote>`),
            kind: 't',
          },
        ],
        'Pairs of classes by the number of rows confused',
      ),
      'The pairs most often confused',
    )}
    <br />`;
}

function confusionFigures(test: TestFigures): Html[] {
  const { labels, confusion } = test;
  const whole = confusionFigure({ labels, confusion }, `Confusion of all ${labels.length} classes`);
  if (labels.length <= READ_AT_ONCE) return [whole];
  const wrong = labels.map((_, i) =>
    confusion.reduce((sum, [a, b, count]) => (a !== b && (a === i || b === i) ? sum + count : sum), 0),
  );
  const chosen = labels
    .map((_, i) => i)
    .sort((a, b) => wrong[b]! - wrong[a]! || a - b)
    .slice(0, FOCUS)
    .sort((a, b) => a - b);
  const place = new Map(chosen.map((label, i) => [label, i]));
  const focus = {
    labels: chosen.map((i) => labels[i]!),
    confusion: confusion.flatMap(([a, b, count]) =>
      place.has(a) && place.has(b) ? [[place.get(a)!, place.get(b)!, count] as const] : [],
    ),
  };
  return [confusionFigure(focus, `Confusion of the ${FOCUS} classes with most errors`), html`<br />`, whole];
}

function confusionFigure(matrix: Pick<TestFigures, 'labels' | 'confusion'>, title: string): Html {
  const wrong = matrix.confusion.filter(([i, j]) => i !== j).sort((a, b) => b[2] - a[2]);
  return figure({
    title,
    chart: confusionChart(matrix),
    caption:
      'Rows are true classes, columns what they were taken for. Outlined on the diagonal: right. Filled: wrong, the darker the more.',
    wide: true,
    data: table(
      wrong,
      [
        { head: 'true class', cell: ([i]) => matrix.labels[i] },
        { head: 'taken for', cell: ([, j]) => matrix.labels[j] },
        { head: 'rows', cell: ([, , count]) => shownNumber(count), kind: 'n' },
      ],
      'Wrong cells of the matrix',
    ),
  });
}

function calibrationFigures({ confidence, expectedCalibrationError }: TestFigures): Html {
  const columns = [
    {
      head: 'confidence',
      cell: ({ lower, upper }: TestFigures['confidence'][number]) => `${lower.toFixed(2)} to ${upper.toFixed(2)}`,
    },
    { head: 'right', cell: ({ right }: TestFigures['confidence'][number]) => shownNumber(right), kind: 'n' as const },
    { head: 'wrong', cell: ({ wrong }: TestFigures['confidence'][number]) => shownNumber(wrong), kind: 'n' as const },
    {
      head: 'mean confidence',
      cell: (bin: TestFigures['confidence'][number]) => shownPercent(bin.confidence),
      kind: 'n' as const,
    },
    {
      head: 'accuracy',
      cell: (bin: TestFigures['confidence'][number]) => shownPercent(bin.accuracy),
      kind: 'n' as const,
    },
  ];
  return html`<div class="grid">
    ${figure({
      title: 'Is its confidence to be believed?',
      chart: calibrationChart(confidence),
      caption: `On the dashed line confidence is what it says; below it the model is too sure. Expected calibration error ${shownPercent(expectedCalibrationError)} over ${confidence.length} bins.`,
      data: table(confidence, columns, 'Calibration by bins of confidence'),
    })}
    ${figure({
      title: 'How sure is it?',
      chart: confidenceChart(confidence),
      caption: 'Upwards: right rows. Downwards: wrong ones.',
      data: table(confidence, columns, 'Rows by bins of confidence'),
    })}
  </div>`;
}

function errorsTable({ errors, wrongRows, rows }: TestFigures): Html {
  const sure = errors.some(({ confidence }) => confidence !== null);
  return html`<p>
      ${wrongRows.toLocaleString('en')} of ${rows.toLocaleString('en')} rows are wrong.
      ${sure ? 'Here are those it was surest of' : 'Here are the first'}: wrong labels of the data and classes that
      overlap stand out first.
    </p>
    ${scrolling(
      table(
        errors,
        [
          { head: 'row', cell: ({ row }) => shownNumber(row), kind: 'n' },
          { head: 'text', cell: ({ text }) => text, kind: 't' },
          { head: 'true class', cell: ({ truth }) => truth },
          { head: 'predicted', cell: ({ predicted }) => predicted },
          { head: 'confidence', cell: ({ confidence }) => shownPercent(confidence), kind: 'n' },
        ],
        `${errors.length} wrong rows`,
      ),
      'Wrong rows',
    )}`;
}
