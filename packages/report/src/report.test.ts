import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { beforeAll, describe, expect, it } from 'vitest';
import { Ajv } from 'ajv';
import { trackRun } from '@qlora-js/tracking/node';
import {
  compareRuns,
  comparisonHtml,
  intervalSvg,
  REPORT_SCHEMA,
  ReportError,
  reportFigures,
  type ReportFigures,
  reportHtml,
  type RunResults,
} from './index';
import { writeComparison, writeReport } from './node';
import { HOSTILE, sampleEvents, sampleResults, sampleTest } from './testing/sample';

const valid = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(REPORT_SCHEMA);
const now = Date.UTC(2026, 0, 2);
let whole: ReportFigures;
let page: string;

beforeAll(async () => {
  whole = reportFigures({ events: await sampleEvents({ status: 'finished' }), results: sampleResults(), now });
  page = reportHtml(whole);
});

const documentOf = (text: string): Document => parseHTML(text).document;
const headings = (text: string): string[] =>
  [...documentOf(text).querySelectorAll('h2')].map((h) => h.textContent ?? '');

describe('the figures of a run', () => {
  it('are JSON that the schema takes, and takes nothing else', () => {
    const json = JSON.parse(JSON.stringify(whole)) as ReportFigures & { extra?: number };
    expect(valid(json), JSON.stringify(valid.errors)).toBe(true);
    expect(json).toEqual(whole);
    expect(valid({ ...json, extra: 1 })).toBe(false);
    expect(valid({ ...json, best: { step: 1, metric: 'x', value: 'high' } })).toBe(false);
  });

  it('find the best step, the gap and the epochs', () => {
    expect(whole.best).toMatchObject({ step: 800, metric: 'eval_f1' });
    expect(whole.state).toBe('finished');
    expect(whole.notes).toEqual([]);
    expect(whole.series.find(({ name }) => name === 'loss_gap')!.points).toHaveLength(10);
    expect(whole.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(whole.epochs[0]!.figures).toEqual({
      epoch_time_sec: 20,
      tokens_per_sec_est: 9000,
      real_tokens_per_sec: 2000,
      gpu_max_mem_allocated_GiB: 0.31,
    });
  });

  it('smooth noise and show its spread, and leave schedules alone', () => {
    const loss = whole.series.find(({ name }) => name === 'loss')!;
    expect(loss.window).toBe(7);
    expect(loss.smooth).toHaveLength(100);
    const values = loss.points.slice(0, 7).map(({ value }) => Number(value));
    const mean = values.reduce((sum, value) => sum + value, 0) / 7;
    const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 7);
    expect(loss.smooth[3]!.mean).toBeCloseTo(mean, 12);
    expect(loss.smooth[3]!.high).toBeCloseTo(mean + spread, 12);
    expect(whole.series.find(({ name }) => name === 'learning_rate')!.smooth).toEqual([]);
  });

  it('count test rows by class, pair and confidence', () => {
    const { labels, truth, predicted, confidence } = sampleTest();
    const test = whole.test!;
    const wrong = truth.filter((label, row) => label !== predicted[row]).length;
    expect(test.accuracy).toBeCloseTo(1 - wrong / truth.length, 12);
    expect(test.wrongRows).toBe(wrong);
    expect(test.confusion.reduce((sum, [, , count]) => sum + count, 0)).toBe(truth.length);
    const [worst] = test.pairs;
    const of = (i: number): boolean => labels[truth[i]!] === worst!.truth && labels[predicted[i]!] === worst!.predicted;
    expect(truth.filter((_, row) => of(row))).toHaveLength(worst!.count);
    expect(test.classes.map(({ f1 }) => f1)).toEqual(test.classes.map(({ f1 }) => f1).sort((a, b) => a - b));
    expect(test.confidence.reduce((sum, { right, wrong: bad }) => sum + right + bad, 0)).toBe(truth.length);
    const surest = Math.max(...confidence!.filter((_, row) => truth[row] !== predicted[row]));
    expect(test.errors[0]!.confidence).toBe(surest);
  });

  it('compare with an earlier run, not available where one is missing', () => {
    const by = Object.fromEntries(whole.comparison!.figures.map((row) => [row.name, row]));
    expect(by['test_f1']!.difference).toBeCloseTo(0.29, 12);
    expect(by['test_f1']!.percent).toBeCloseTo(58, 10);
    expect(by['test_loss']).toMatchObject({ earlier: null, now: 0.7, difference: null });
    expect(by['tokens_per_sec_est']).toMatchObject({ earlier: 90_000, now: null, percent: null });
    const text = documentOf(page).querySelector('#comparison')!.textContent;
    expect(text).toContain('not available');
    expect(text).toContain('+58.00 %');
  });

  it('take the best complete trial, and count the states', () => {
    const { best, counts, trials } = whole.search!;
    const complete = trials.filter(({ state }) => state === 'COMPLETE');
    expect(best!.value).toBe(Math.max(...complete.map(({ value }) => value!)));
    expect(Object.values(counts).reduce((sum, count) => sum + count)).toBe(20);
    expect(counts).toMatchObject({ FAIL: 1, RUNNING: 1 });
  });
});

describe('the page', () => {
  it('holds every part, in under 500 KB, and asks no network', () => {
    expect(headings(page)).toEqual([
      'What was run',
      'Training by step',
      'Speed and memory by epoch',
      'Classes, the worst first',
      'What is taken for what',
      'Confidence',
      'Errors to look at',
      'Search',
      'Compared with an earlier run',
      'Saved files',
    ]);
    expect(Buffer.byteLength(page)).toBeLessThan(500_000);
    const document = documentOf(page);
    expect(document.querySelectorAll('script, link, img, iframe, object, embed')).toHaveLength(0);
    const addresses = [...document.querySelectorAll('[href], [src]')].map(
      (e) => e.getAttribute('href') ?? e.getAttribute('src'),
    );
    expect(addresses.every((address) => address!.startsWith('#'))).toBe(true);
    expect(page).not.toMatch(/url\(|@import/);
  });

  it('has a table behind every chart, and a label on it', () => {
    const figures = [...documentOf(page).querySelectorAll('figure')];
    expect(figures.length).toBeGreaterThan(18);
    for (const figure of figures) {
      expect(figure.querySelectorAll('svg[role="img"][aria-label]')).toHaveLength(1);
      expect(figure.querySelectorAll('details table tbody tr').length).toBeGreaterThan(0);
    }
  });

  it('shows texts of data as texts, whatever they hold', () => {
    expect(/<img|<svg onload|<\/script|<!--/.exec(page)).toBeNull();
    expect(documentOf(page).querySelectorAll('img, script, [onload], [onerror]')).toHaveLength(0);
    const text = documentOf(page).querySelector('#what')!.textContent;
    expect(text).toContain('onload=alert(2)');
    expect(documentOf(page).querySelector('#saved')!.textContent).toContain(HOSTILE);
  });

  it('is the same file for the same figures', () => {
    expect(reportHtml(JSON.parse(JSON.stringify(whole)) as ReportFigures)).toBe(page);
  });

  it.each([
    ['is still going', { steps: 300 }, Date.UTC(2026, 0, 1, 0, 2), 'It may still be going'],
    ['was killed', { steps: 300 }, now, 'It was most likely killed'],
    ['failed', { steps: 300, status: 'failed' as const }, now, 'This run failed'],
    [
      'holds NaN',
      { nanFrom: 500, status: 'finished' as const },
      now,
      'loss is not a finite number 51 times, first at step 500',
    ],
    ['logged nothing', { steps: 0 }, now, 'Nothing was logged'],
  ])('of a run that %s is drawn with what is there and says so', async (_, options, at, note) => {
    const figures = reportFigures({ events: await sampleEvents(options), now: at });
    expect(figures.notes.join('\n')).toContain(note);
    expect(valid(JSON.parse(JSON.stringify(figures))), JSON.stringify(valid.errors)).toBe(true);
    const html = reportHtml(figures);
    expect(documentOf(html).querySelector('.notes')!.textContent).toContain(note);
    expect(html).not.toMatch(/NaN,|,NaN|"NaN"/);
    if (!('steps' in options) || options.steps !== 0) expect(headings(html)).toContain('Training by step');
  });

  it('of a search alone, and of nothing at all, is a page', () => {
    const { search } = sampleResults();
    expect(headings(reportHtml(reportFigures({ events: [], results: { search } })))).toContain('Search');
    const none = reportFigures({ events: [], results: { search: { ...search!, trials: [] } } });
    expect(reportHtml(none)).toContain('No trial is complete yet.');
    expect(headings(reportHtml(reportFigures({ events: [] })))).toEqual(['What was run']);
  });

  it('of two classes and few rows has counts in its matrix', () => {
    const test = { labels: ['no', 'yes'], truth: [0, 0, 1], predicted: [0, 1, 1] };
    const html = reportHtml(reportFigures({ events: [], results: { test } }));
    expect(headings(html)).not.toContain('Confidence');
    expect(documentOf(html).querySelectorAll('#confusion figure')).toHaveLength(1);
  });
});

describe('results that do not fit', () => {
  it.each([
    [{ test: { labels: ['a'], truth: [0], predicted: [0, 0] } }, /test\.predicted: 2 rows and truth has 1/],
    [{ test: { labels: ['a'], truth: [0], predicted: [1] } }, /test\.predicted: class 1 of row 0 is none of 1/],
    [{ test: { labels: ['a'], truth: [0], predicted: [0], confidence: [1.5] } }, /test\.confidence: row 0 is 1\.5/],
    [{ test: { labels: 'a' } }, /results\.test\.labels: it is not a list of texts/],
    [{ search: { name: 'a', objective: 'f1', direction: 'up', trials: [] } }, /results\.search\.direction/],
    [{ saved: { folder: 'x', files: [{}] } }, /results\.saved\.files/],
    [{ description: { model: { deep: {} } } }, /results\.description/],
  ])('%j is refused by name', (results, message) => {
    const make = (): ReportFigures => reportFigures({ events: [], results: results as unknown as RunResults });
    expect(make).toThrow(message);
    try {
      make();
    } catch (error) {
      expect(ReportError.isInstance(error) && error.code).toBe('INVALID_RESULTS');
    }
  });
});

describe('runs side by side', () => {
  const figures = (name: string, test_accuracy: number) => ({
    ...whole,
    title: name,
    summary: { test_accuracy, only: name },
  });

  it('have paired intervals on the same rows', () => {
    const test = sampleTest(5);
    const better = { ...test, predicted: test.truth };
    const runs = [
      { name: 'a', figures: figures('a', 0.9), test },
      { name: 'b', figures: figures('b', 1), test: better },
      { name: 'c', figures: figures('c', 0.9), test },
    ];
    const comparison = compareRuns(runs, { resamples: 200 });
    const [a, b, c] = comparison.scores;
    expect(a!.accuracyDifference).toBeNull();
    expect(b!.accuracy).toEqual({ estimate: 1, low: 1, high: 1 });
    expect(b!.accuracyDifference!.low).toBeGreaterThan(0);
    expect(b!.accuracyDifference!.estimate).toBeCloseTo(1 - a!.accuracy.estimate, 12);
    // The same predictions differ on no draw: only pairing gives an interval of no width.
    expect(c!.f1Difference).toEqual({ estimate: 0, low: 0, high: 0 });
    expect(a!.accuracy.high).toBeGreaterThan(a!.accuracy.low);
    expect(comparison.figures).toEqual([{ name: 'test_accuracy', values: [0.9, 1, 0.9] }]);
    expect(headings(comparisonHtml(comparison))).toEqual(['Scores on the same test rows', 'Figures']);
  });

  it('of other rows have none, and say so', () => {
    const runs = [
      { name: 'a', figures: figures('a', 0.9), test: sampleTest(5) },
      { name: 'b', figures: figures('b', 1), test: sampleTest(4) },
    ];
    const comparison = compareRuns(runs);
    expect(comparison.scores).toEqual([]);
    expect(comparisonHtml(comparison)).toContain('no test rows in common');
    expect(() => compareRuns([runs[0]!, runs[0]!])).toThrow(/NOT_COMPARABLE|2 runs: a, a/);
  });
});

describe('writeReport', () => {
  it('writes both files of a folder, from its lines and results', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'report-'));
    const tracking = await trackRun({ folder, run: { name: 'r' }, env: {} });
    tracking.log({ loss: 1 }, 1);
    await writeFile(
      join(folder, 'results.json'),
      JSON.stringify({ test: { labels: ['a', 'b'], truth: [0, 1], predicted: [0, 0] } }),
    );
    const written = await writeReport({ folder });
    expect(written).toMatchObject({ state: 'unfinished', test: { accuracy: 0.5 } });
    expect(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))).toEqual(written);
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('<h1>r</h1>');
    await tracking.finish('finished');
    await writeFile(join(folder, 'results.json'), '[]');
    await expect(writeReport({ folder })).rejects.toMatchObject({ code: 'READ_FAILED' });
    expect((await readdir(folder)).sort()).toEqual(['report.html', 'report.json', 'results.json', 'run.jsonl']);
    await rm(folder, { recursive: true });
  });
});

describe('writeComparison', () => {
  it('calls runs by their folders, compares them on the same rows, and refuses a folder without a run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'comparison-'));
    const runs = ['a', join('x', 'b'), join('y', 'b')].map((name) => join(folder, name));
    for (const [index, run] of runs.entries()) {
      await mkdir(run, { recursive: true });
      const test = { labels: ['a', 'b'], truth: [0, 1, 0], predicted: [0, Number(index > 0), 0] };
      await writeFile(join(run, 'results.json'), JSON.stringify({ test }));
    }
    const comparison = await writeComparison({ runs, folder });
    expect(comparison.runs).toEqual(['a', runs[1], runs[2]]);
    expect(comparison.scores[1]!.accuracyDifference!.estimate).toBeCloseTo(1 / 3, 12);
    expect(JSON.parse(await readFile(join(folder, 'comparison.json'), 'utf8'))).toEqual(comparison);
    expect(await readFile(join(folder, 'comparison.html'), 'utf8')).toContain(runs[1]!);
    await expect(writeComparison({ runs: [runs[0]!, folder], folder })).rejects.toThrow(
      /neither run\.jsonl nor results\.json in it\. Name a run's folder/,
    );
    await rm(folder, { recursive: true });
  });
});

describe('intervalSvg', () => {
  it('is well-formed XML of its own colours, one value alone without an interval', () => {
    const rows = [
      { name: 'a & b', estimate: 0.5, low: 0.4, high: 0.6 },
      { name: 'c', estimate: 0.25, low: -Infinity, high: Infinity },
    ];
    const svg = intervalSvg({ label: 'Scores', x: 'accuracy', rows, zero: true });
    const [tag] = /^<svg[^>]*>/.exec(svg)!;
    const names = [...tag.matchAll(/\s([\w:-]+)=/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(tag).toContain('xmlns="http://www.w3.org/2000/svg"');
    expect(svg).toContain('--c1:#1f5fa8');
    expect(svg).toContain('a &amp; b');
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});
