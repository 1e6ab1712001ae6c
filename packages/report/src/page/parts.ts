import { html, type Html, type Part } from './html';

/** A column of a table. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => Part;
  /** `n` for numbers, `t` for long texts. */
  readonly kind?: 'n' | 't';
}

/** A table of rows; its first column names the row. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], caption: string): Html {
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${columns.map(({ head, kind }) => html`<th scope="col" class="${kind ?? ''}">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${columns.map(({ cell, kind }, i) => (i === 0 ? html`<th scope="row" class="${kind ?? ''}">${cell(row)}</th>` : html`<td class="${kind ?? ''}">${cell(row)}</td>`))}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** A box that scrolls; reachable by keyboard, as whatever scrolls must be. */
export function scrolling(content: Html, label: string, { whole = false } = {}): Html {
  return html`<div class="scroll${whole ? ' whole' : ''}" tabindex="0" role="region" aria-label="${label}">
    ${content}
  </div>`;
}

/** A chart with its caption and, behind a click, the table it was drawn from. */
export function figure(parts: { title: string; chart: Html; caption?: Part; data: Html; wide?: boolean }): Html {
  const { title, chart, caption, data, wide = false } = parts;
  const plot = wide
    ? html`<div class="plot wide" tabindex="0" role="region" aria-label="${title}, a wide chart">${chart}</div>`
    : html`<div class="plot" tabindex="0" role="group" aria-label="${title}, chart">${chart}</div>`;
  return html`<figure>
    <h3>${title}</h3>
    ${plot} ${caption === undefined ? '' : html`<figcaption>${caption}</figcaption>`}
    <details>
      <summary>Table: ${title}</summary>
      ${scrolling(data, `Table: ${title}`)}
    </details>
  </figure>`;
}

/** A part of the page with a heading that the contents link to. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Part;
}

/** Names and values in a box. */
export function card(title: string, entries: readonly (readonly [string, string])[]): Html {
  return html`<div class="card">
    <h3>${title}</h3>
    <dl>
      ${entries.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>
  </div>`;
}
