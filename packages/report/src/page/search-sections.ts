import {
  hasTrials,
  historyChart,
  importanceChart,
  intermediateChart,
  parallelChart,
  sliceChart,
  valuedTrials,
} from '../charts/search';
import { type SearchFigures } from '../figures/report-figures';
import { html, type Html } from './html';
import { MISSING, shownNumber, shownValue } from './numbers';
import { figure, scrolling, type Section, table } from './parts';

/** The search: what was tried, what came of it, what mattered. */
export function searchSections(search: SearchFigures): Section[] {
  const { trials, counts, best, objective, direction } = search;
  const states = Object.entries(counts).map(([state, count]) => `${count} ${state.toLowerCase()}`);
  const found =
    best === null
      ? 'No trial is complete yet.'
      : `The best is trial ${best.number}: ${objective} ${shownNumber(best.value)}.`;
  const charts = hasTrials(search) ? searchCharts(search) : '';
  const body = [
    html`<p>
      ${search.name}: ${trials.length} trials (${states.join(', ') || 'none'}) to ${direction} ${objective}. ${found}
    </p>`,
    charts,
    html`<br />`,
    trialsTable(search),
  ];
  return [{ id: 'search', title: 'Search', body }];
}

function searchCharts(search: SearchFigures): Html {
  const { objective, importances, parameters, trials } = search;
  const valued = valuedTrials(trials);
  const history = figure({
    title: `${objective} by trial`,
    chart: historyChart(search),
    caption:
      'Dots: complete trials. Crosses: pruned ones, with the last value they reported. The line is the best so far.',
    data: table(
      valued,
      [
        { head: 'trial', cell: ({ number }) => shownNumber(number), kind: 'n' },
        { head: 'state', cell: ({ state }) => state.toLowerCase() },
        { head: objective, cell: ({ value }) => shownNumber(value), kind: 'n' },
      ],
      `${objective} by trial`,
    ),
  });
  const importance =
    importances === null
      ? html`<figure>
          <h3>Importances</h3>
          <p class="soft">${MISSING}: too few complete trials, or none were computed.</p>
        </figure>`
      : figure({
          title: 'Importances',
          chart: importanceChart({ importances }),
          caption: `By ${importances.method}.`,
          data: table(
            Object.entries(importances.values).sort(([, a], [, b]) => b - a),
            [
              { head: 'parameter', cell: ([name]) => name },
              { head: 'importance', cell: ([, value]) => shownNumber(value), kind: 'n' },
            ],
            'Importances',
          ),
        });
  const reported = trials.filter(({ intermediate }) => (intermediate ?? []).length > 0);
  const intermediate =
    reported.length === 0
      ? []
      : [
          figure({
            title: `${objective} while trials ran`,
            chart: intermediateChart(search),
            caption: 'Dashed: pruned trials, up to the cross. Bold: the best one.',
            data: table(
              reported.flatMap(({ number, intermediate: values = [] }) =>
                values.map((value) => ({ number, ...value })),
              ),
              [
                { head: 'trial', cell: ({ number }) => shownNumber(number), kind: 'n' },
                { head: 'step', cell: ({ step }) => shownNumber(step), kind: 'n' },
                { head: objective, cell: ({ value }) => shownNumber(value), kind: 'n' },
              ],
              'Reported values',
            ),
          }),
        ];
  const slices = parameters.map((parameter) =>
    figure({
      title: parameter,
      chart: sliceChart(search, parameter),
      data: table(
        valued,
        [
          { head: 'trial', cell: ({ number }) => shownNumber(number), kind: 'n' },
          { head: parameter, cell: ({ params }) => shownValue(params[parameter] ?? null), kind: 'n' },
          { head: objective, cell: ({ value }) => shownNumber(value), kind: 'n' },
        ],
        `${objective} by ${parameter}`,
      ),
    }),
  );
  const parallel = figure({
    title: 'All parameters at once',
    chart: parallelChart(search),
    caption: 'Each line is a trial; the best one is bold.',
    wide: true,
    data: trialRows(search),
  });
  return html`<div class="grid">${[history, importance, ...intermediate]}</div>
    <br />
    ${parallel}
    <div class="grid small">${slices}</div>`;
}

function trialsTable(search: SearchFigures): Html {
  return html`<h3>Trials</h3>
    ${scrolling(trialRows(search), 'Trials')}`;
}

function trialRows({ trials, parameters, objective }: SearchFigures): Html {
  return table(
    trials,
    [
      { head: 'trial', cell: ({ number }) => shownNumber(number), kind: 'n' },
      { head: 'state', cell: ({ state }) => state.toLowerCase() },
      { head: objective, cell: ({ value }) => shownNumber(value), kind: 'n' },
      ...parameters.map((name) => ({
        head: name,
        cell: ({ params }: SearchFigures['trials'][number]) => shownValue(params[name] ?? null),
        kind: 'n' as const,
      })),
      {
        head: 'seconds',
        cell: ({ seconds }) => (seconds === undefined || seconds === null ? '' : shownNumber(seconds)),
        kind: 'n',
      },
    ],
    'Every trial',
  );
}
