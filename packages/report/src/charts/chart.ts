import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type Html, raw } from '../page/html';

/** Colours as the page's style has them, in light and dark. */
export const COLOR = { one: 'var(--c1)', two: 'var(--c2)', three: 'var(--c3)', muted: 'var(--muted)' } as const;

/** What a chart is and says. */
export interface ChartOptions extends Plot.PlotOptions {
  /** What the chart shows, for readers who don't see it. */
  readonly label: string;
}

/**
 * A chart as SVG with `role="img"` and a label. It has no colours of its own: lines and texts are in the page's colours, so
 * that one file serves light, dark and print.
 */
export function chart({ label, ...options }: ChartOptions): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    width: 640,
    height: 260,
    marginLeft: 48,
    marginBottom: 38,
    marginTop: 24,
    marginRight: 24,
    style: { background: 'none', fontSize: '12px' },
    ...options,
    document: document,
  }) as unknown as Element;
  // The label of the whole is what is read out; labels of its parts would be labels without a role.
  for (const part of svg.querySelectorAll('[aria-label],[aria-hidden],[aria-description]')) {
    for (const name of ['aria-label', 'aria-hidden', 'aria-description']) part.removeAttribute(name);
  }
  svg.querySelector('style')?.remove();
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return raw(
    svg.outerHTML.replaceAll(/\s(?:d|transform|[xy][12]?|c[xy]|width|height)=\"[^\"]*\"/g, (attribute) =>
      attribute.replaceAll(/(\.\d\d)\d+/g, '$1'),
    ),
  );
}
