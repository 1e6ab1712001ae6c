import { parseHTML } from 'linkedom';
import { type ScoreInterval } from '../figures/compare-runs';
import { intervalChart } from './intervals';

/** Colours of a chart that stands on no page of ours. */
const STYLE = '--c1:#1f5fa8;--c2:#b4541a;--c3:#3d7a37;--muted:#667;background:#fff;color:#222;font-family:sans-serif';

/**
 * Values with their intervals as an SVG file of its own.
 *
 * @param zero a line at 0, where they are differences
 */
export function intervalSvg({
  label,
  x,
  rows,
  zero = false,
}: {
  readonly label: string;
  readonly x: string;
  readonly rows: readonly (ScoreInterval & { readonly name: string })[];
  readonly zero?: boolean;
}): string {
  // One value alone has no interval: its ends are the value's.
  const finite = rows.map(({ name, estimate, low, high }) => ({
    name,
    estimate,
    low: Number.isFinite(low) ? low : estimate,
    high: Number.isFinite(high) ? high : estimate,
  }));
  const { document } = parseHTML(intervalChart(finite, { label, x, zero }).text);
  const svg = document.querySelector('svg')!;
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('style', STYLE);
  return svg.outerHTML;
}
