import { figure } from '../view/format';
import { linear, ticks } from './scale';

/** A line of a chart. */
export interface LineSeries {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Which of the page's series colours, and with it which dash. */
  readonly tone: 'first' | 'second';
  /** Draws the points as well, for series of few of them. */
  readonly dots?: boolean;
}

/** What a line chart draws. */
export interface LineChartProps {
  readonly title: string;
  readonly series: readonly LineSeries[];
  /** Steps in all, so that the line grows into its place. */
  readonly xMax: number;
  /** Ends of the vertical axis; by the points where left out. */
  readonly domain?: readonly [number, number];
  readonly format?: (value: number) => string;
}

const WIDTH = 480;
const HEIGHT = 200;
const EDGE = { top: 10, right: 12, bottom: 24, left: 46 };
/** Rows of the table behind a chart; a longer series shows every so many. */
const TABLE_ROWS = 40;

/** Lines over the steps of a training, as SVG, with their values as a table behind them. */
export function LineChart({ title, series, xMax, domain, format = figure }: LineChartProps) {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y)).filter(Number.isFinite);
  const [low, high] = domain ?? [Math.min(0, ...values), values.length === 0 ? 1 : Math.max(...values) * 1.05];
  const x = linear([0, Math.max(1, xMax)], [EDGE.left, WIDTH - EDGE.right]);
  const y = linear([low, high], [HEIGHT - EDGE.bottom, EDGE.top]);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        {series.length > 1 && (
          <span class="legend">
            {series.map(({ name, tone }) => (
              <span key={name} class={`key ${tone}`}>
                {name}
              </span>
            ))}
          </span>
        )}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={spoken(title, series, format)}>
        {ticks(low, high, 4).map((tick) => (
          <g key={`y${tick}`}>
            <line class="grid" x1={EDGE.left} x2={WIDTH - EDGE.right} y1={y(tick)} y2={y(tick)} />
            <text class="tick" x={EDGE.left - 6} y={y(tick)} text-anchor="end" dominant-baseline="central">
              {format(tick)}
            </text>
          </g>
        ))}
        {ticks(0, Math.max(1, xMax), 5).map((tick) => (
          <text key={`x${tick}`} class="tick" x={x(tick)} y={HEIGHT - 6} text-anchor="middle">
            {tick}
          </text>
        ))}
        {series.map(({ name, points, tone, dots }) => (
          <g key={name} class={`series ${tone}`}>
            <polyline points={points.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(' ')} />
            {dots === true && points.map((point) => <circle key={point.x} cx={x(point.x)} cy={y(point.y)} r="3.2" />)}
          </g>
        ))}
      </svg>
      <details>
        <summary>
          Values<span class="hidden"> of {title}</span>
        </summary>
        <ValueTable title={title} series={series} format={format} />
      </details>
    </figure>
  );
}

function ValueTable({ title, series, format = figure }: Pick<LineChartProps, 'title' | 'series' | 'format'>) {
  const steps = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((one, two) => one - two);
  const every = Math.ceil(steps.length / TABLE_ROWS);
  const shown = steps.filter((_, index) => index % every === 0 || index === steps.length - 1);
  const at = series.map(({ points }) => new Map(points.map(({ x, y }) => [x, y])));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Values of ${title} by step`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((step) => (
            <tr key={step}>
              <th scope="row">{step}</th>
              {at.map((values, index) => {
                const value = values.get(step);
                return <td key={index}>{value === undefined ? '' : format(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The chart in a sentence. */
function spoken(title: string, series: readonly LineSeries[], format: (value: number) => string): string {
  const parts = series.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return `${name}: no values yet`;
    return `${name}: ${format(first.y)} at step ${first.x}, ${format(last.y)} at step ${last.x}`;
  });
  return `${title}. ${parts.join('. ')}.`;
}
