import { intervalChart } from '../charts/intervals';
import { type RunComparison, type RunScores, type ScoreInterval } from '../figures/compare-runs';
import { html, type Html } from './html';
import { shownNumber, signed } from './numbers';
import { figure, scrolling, type Section, table } from './parts';
import { page, sectionHtml } from './report-html';

/** Runs side by side as one HTML file. */
export function comparisonHtml(comparison: RunComparison): string {
  const { runs, figures, scores, notes, confidenceLevel, resamples } = comparison;
  const percent = `${Math.round(100 * confidenceLevel)} %`;
  const sections: Section[] = [];
  if (scores.length > 0) {
    const note = `Intervals of ${percent} by ${resamples.toLocaleString('en')} bootstrap resamples of the test rows.`;
    const scored = (title: string, of: (run: RunScores) => ScoreInterval | null, zero: boolean): Html => {
      const rows = scores.flatMap((run) => {
        const score = of(run);
        return score === null ? [] : [{ name: run.name, ...score }];
      });
      return figure({
        title,
        chart: intervalChart(rows, { label: `${title} with intervals`, x: title, zero }),
        caption: zero
          ? `${note} The same rows are drawn for both runs; an interval that leaves out 0 is no chance.`
          : note,
        data: table(
          rows,
          [
            { head: 'run', cell: ({ name }) => name },
            { head: title, cell: ({ estimate }) => (zero ? signed(estimate) : shownNumber(estimate)), kind: 'n' },
            { head: 'from', cell: ({ low }) => (zero ? signed(low) : shownNumber(low)), kind: 'n' },
            { head: 'to', cell: ({ high }) => (zero ? signed(high) : shownNumber(high)), kind: 'n' },
          ],
          `${title}, ${percent} intervals`,
        ),
      });
    };
    sections.push({
      id: 'scores',
      title: 'Scores on the same test rows',
      body: html`<div class="grid">
        ${scored('Accuracy', ({ accuracy }) => accuracy, false)} ${scored('F1', ({ f1 }) => f1, false)}
        ${scored(`Accuracy less that of ${runs[0]}`, ({ accuracyDifference }) => accuracyDifference, true)}
        ${scored(`F1 less that of ${runs[0]}`, ({ f1Difference }) => f1Difference, true)}
      </div>`,
    });
  }
  const columns = runs.map((name, i) => ({
    head: name,
    cell: ({ values }: RunComparison['figures'][number]) => shownNumber(values[i]),
    kind: 'n' as const,
  }));
  const rows = table(figures, [{ head: 'figure', cell: ({ name }) => name }, ...columns], 'What the runs came to');
  sections.push({ id: 'figures', title: 'Figures', body: scrolling(rows, 'Figures of all runs', { whole: true }) });
  const warned =
    notes.length === 0
      ? ''
      : html`<div class="notes">
          <ul>
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>
        </div>`;
  const title = `${runs.length} runs compared`;
  return page(
    title,
    html`<header>
        <h1>${title}</h1>
        <p class="soft">${runs.join(', ')}</p>
        ${warned}
      </header>
      <main>${sections.map(sectionHtml)}</main>`,
  );
}
