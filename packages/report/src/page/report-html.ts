import { type ReportFigures } from '../figures/report-figures';
import { html, type Html, raw } from './html';
import { MISSING, shownBytes, shownNumber, shownSeconds, shownValue, signed } from './numbers';
import { card, scrolling, type Section, table } from './parts';
import { searchSections } from './search-sections';
import { STYLE } from './style';
import { testSections } from './test-sections';
import { trainingSections } from './training-sections';

/** The report as one HTML file, which asks nothing of any network and runs no script. */
export function reportHtml(figures: ReportFigures): string {
  const sections: Section[] = [
    { id: 'what', title: 'What was run', body: description(figures) },
    ...trainingSections(figures),
    ...(figures.test === null ? [] : testSections(figures.test)),
    ...(figures.search === null ? [] : searchSections(figures.search)),
    ...(figures.comparison === null ? [] : [comparisonSection(figures.comparison)]),
    ...(figures.saved === null ? [] : [savedSection(figures.saved)]),
  ].filter(({ body }) => body !== null);
  return page(
    figures.title,
    html`${header(figures, sections)}
      <main>${sections.map(sectionHtml)}</main>
      ${footer(figures)}`,
  );
}

/** A whole page around some content. */
export function page(title: string, content: Html): string {
  const whole = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <title>${title}</title>
        <style>
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        ${content}
      </body>
    </html> `;
  return whole.text.replaceAll(/>\s+</g, '>\n<');
}

/** A section with its heading. */
export function sectionHtml({ id, title, body }: Section): Html {
  return html`<section id="${id}" aria-labelledby="${id}-heading">
    <h2 id="${id}-heading">${title}</h2>
    ${body}
  </section>`;
}

const STATES: Readonly<Record<ReportFigures['state'], string>> = {
  finished: 'finished',
  failed: 'failed',
  interrupted: 'interrupted',
  pruned: 'pruned',
  unfinished: 'no end written',
  none: '',
};

function header(figures: ReportFigures, sections: readonly Section[]): Html {
  const { title, state, started, ended, lastLine, notes } = figures;
  const seconds = started === null ? null : (Date.parse(ended ?? lastLine ?? started) - Date.parse(started)) / 1000;
  const when =
    started === null ? '' : html`started ${started.slice(0, 16).replace('T', ' ')} UTC, ${shownSeconds(seconds ?? 0)}`;
  return html`<header>
    <h1>${title}</h1>
    <p class="soft">${state === 'none' ? '' : html`<span class="state ${state}">${STATES[state]}</span> `}${when}</p>
    ${
      notes.length === 0
        ? ''
        : html`<div class="notes">
            <ul>
              ${notes.map((note) => html`<li>${note}</li>`)}
            </ul>
          </div>`
    }
    ${tiles(figures)}
    <nav aria-label="Contents">${sections.map(({ id, title: name }) => html`<a href="#${id}">${name}</a>`)}</nav>
  </header>`;
}

/** The figures that are looked for first. */
function tiles({ summary, best, test, search, epochs }: ReportFigures): Html {
  const number = (name: string): number | null => (typeof summary[name] === 'number' ? summary[name] : null);
  const list: [name: string, value: string, small: string][] = [];
  const accuracy = number('test_accuracy') ?? test?.accuracy ?? null;
  const f1 = number('test_f1') ?? test?.f1Weighted ?? null;
  if (accuracy !== null)
    list.push(['Test accuracy', shownNumber(accuracy), test === null ? '' : `${test.rows.toLocaleString('en')} rows`]);
  if (f1 !== null)
    list.push([
      'Test F1',
      shownNumber(f1),
      test === null ? 'weighted' : `weighted; macro ${shownNumber(test.f1Macro)}`,
    ]);
  if (number('test_loss') !== null) list.push(['Test loss', shownNumber(number('test_loss')), '']);
  if (best !== null)
    list.push(['Best validation', shownNumber(best.value), `${best.metric} at step ${shownNumber(best.step)}`]);
  if (search?.best)
    list.push(['Best trial', shownNumber(search.best.value), `trial ${search.best.number} of ${search.trials.length}`]);
  if (number('total_time_sec') !== null)
    list.push(['Training time', shownSeconds(number('total_time_sec')!), `${epochs.length} epochs`]);
  const memory = epochs.at(-1)?.figures['gpu_max_mem_allocated_GiB'];
  if (memory !== undefined) list.push(['Peak memory', shownNumber(memory), 'GiB, last epoch']);
  if (list.length === 0) return html``;
  return html`<div class="tiles">
    ${list.map(
      ([name, value, small]) =>
        html`<dl class="tile">
          <dt>${name}</dt>
          <dd>${value}${small === '' ? '' : html`<small>${small}</small>`}</dd>
        </dl>`,
    )}
  </div>`;
}

function description({ description: parts, summary }: ReportFigures): Html {
  const all = Object.keys(summary).length > 0 ? { ...parts, 'what it came to': summary } : parts;
  if (Object.keys(all).length === 0) return html`<p class="soft">${MISSING}</p>`;
  return html`<div class="cards">
    ${Object.entries(all).map(([title, values]) =>
      card(
        title,
        Object.entries(values).map(([name, value]) => [name, shownValue(value)]),
      ),
    )}
  </div>`;
}

function comparisonSection({ earlier, figures }: NonNullable<ReportFigures['comparison']>): Section {
  const body = scrolling(
    table(
      figures,
      [
        { head: 'figure', cell: ({ name }) => name },
        { head: earlier, cell: (row) => shownNumber(row.earlier), kind: 'n' },
        { head: 'this run', cell: ({ now }) => shownNumber(now), kind: 'n' },
        { head: 'difference', cell: ({ difference }) => signed(difference), kind: 'n' },
        { head: 'change', cell: ({ percent }) => (percent === null ? MISSING : `${signed(percent, 2)} %`), kind: 'n' },
      ],
      `${earlier} and this run`,
    ),
    'Comparison with an earlier run',
    { whole: true },
  );
  return { id: 'comparison', title: 'Compared with an earlier run', body };
}

function savedSection({ folder, files, load }: NonNullable<ReportFigures['saved']>): Section {
  const body = html`${scrolling(
    table(
      files,
      [
        { head: 'file', cell: ({ name }) => name },
        { head: 'size', cell: ({ size }) => shownBytes(size), kind: 'n' },
      ],
      `Files in ${folder}`,
    ),
    'List of saved files',
    { whole: true },
  )}
  ${
    load?.typescript === undefined
      ? ''
      : html`<h3>In TypeScript</h3>
          ${code(load.typescript, 'TypeScript')}`
  }
  ${
    load?.python === undefined
      ? ''
      : html`<h3>In Python</h3>
          ${code(load.python, 'Python')}`
  }`;
  return { id: 'saved', title: 'Saved files', body };
}

function code(text: string, language: string): Html {
  return html`<pre tabindex="0" role="region" aria-label="Code in ${language}"><code>${text}</code></pre>`;
}

function footer({ lastLine }: ReportFigures): Html {
  return html`<footer>
    Written by qlora.js${lastLine === null ? '' : ` from lines up to ${lastLine}`}. The same figures lie beside this
    file as report.json.
  </footer>`;
}
