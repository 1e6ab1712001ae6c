// packages/report: report.html in two widths and both themes; axe finds nothing, nothing is asked of a network, nothing sticks out.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser } from 'puppeteer-core';
import { compareRuns, comparisonHtml, reportFigures, reportHtml } from '@qlora-js/report';
import { sampleEvents, sampleResults, sampleTest } from '../../packages/report/src/testing/sample';
import { axeFindings } from './accessibility';
import { type Check } from './check';

const WIDTHS = [1280, 390];
const THEMES = ['light', 'dark'] as const;

/** What a page is found to be. */
interface Findings {
  readonly accessibility: string[];
  readonly requests: string[];
  readonly errors: string[];
  /** Pixels that the page is wider than its window. */
  readonly overhang: number;
  readonly paper: string;
}

/** The pages of packages/report, as Chromium shows them. */
export async function checkReports(browser: Browser, check: Check): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'reports-'));
  try {
    for (const [name, html] of Object.entries(await pages())) {
      const path = join(folder, `${name}.html`);
      await writeFile(path, html);
      const papers = new Set<string>();
      for (const width of WIDTHS) {
        for (const theme of THEMES) {
          const found = await look(browser, { path, width, theme });
          const place = `report: ${name}, ${width} pixels, ${theme}`;
          check(`${place}: axe`, found.accessibility, []);
          check(`${place}: asks for nothing`, found.requests, []);
          check(`${place}: no errors`, found.errors, []);
          check(`${place}: fits`, found.overhang, 0);
          papers.add(found.paper);
        }
      }
      check(`report: ${name}: light and dark differ`, papers.size, 2);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pages(): Promise<Record<string, string>> {
  const whole = reportFigures({ events: await sampleEvents({ status: 'finished' }), results: sampleResults() });
  const killed = reportFigures({ events: await sampleEvents({ steps: 300, nanFrom: 200 }) });
  const test = sampleTest(5);
  const runs = ['nf4', 'fp4'].map((name) => ({ name, figures: whole, test }));
  return {
    whole: reportHtml(whole),
    killed: reportHtml(killed),
    comparison: comparisonHtml(compareRuns(runs, { resamples: 100 })),
  };
}

async function look(
  browser: Browser,
  { path, width, theme }: { path: string; width: number; theme: 'light' | 'dark' },
): Promise<Findings> {
  const page = await browser.newPage();
  try {
    const address = pathToFileURL(path).href;
    const requests: string[] = [];
    const errors: string[] = [];
    page.on('request', (request) => void (request.url() === address || requests.push(request.url())));
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
    page.on('pageerror', (error) => void errors.push(String(error)));
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    await page.goto(address);
    // What lies behind a click is looked at too.
    await page.$$eval('details', (all) => all.forEach((details) => (details.open = true)));
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const shown = { requests: [...requests], errors: [...errors] };
    const accessibility = await axeFindings(page);
    return { accessibility, ...shown, overhang, paper };
  } finally {
    await page.close();
  }
}
