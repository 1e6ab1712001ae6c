import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readRunEvents, RUN_FILE } from '@qlora-js/tracking/node';
import { ReportError } from '../errors';
import { compareRuns, type ComparedRun, type CompareOptions, type RunComparison } from '../figures/compare-runs';
import { type ReportFigures } from '../figures/report-figures';
import { reportFigures } from '../figures/run-figures';
import { type RunResults } from '../input';
import { comparisonHtml } from '../page/comparison-html';
import { reportHtml } from '../page/report-html';

/** Name of the file of a run's folder that holds what its JSON lines do not say; its shape is `RunResults`. */
export const RESULTS_FILE = 'results.json';

/** The files of a report. */
export const REPORT_FILES = { html: 'report.html', json: 'report.json' } as const;

/** What a report of a folder is made of. */
export interface WriteReportOptions {
  /** A run's or a search's folder, which the report goes into. */
  readonly folder: string;
  /** Default: those of `results.json` in the folder, if there. */
  readonly results?: RunResults;
  /** Heading. */
  readonly title?: string;
}

/**
 * Writes report.html and report.json of a run that is over, still goes on, or was killed: each file whole or not at all.
 *
 * @throws ReportError READ_FAILED, WRITE_FAILED, INVALID_RESULTS
 */
export async function writeReport({ folder, title, ...options }: WriteReportOptions): Promise<ReportFigures> {
  const { figures } = await readRun(folder, { title, ...options });
  await writeWhole(join(folder, REPORT_FILES.html), reportHtml(figures));
  await writeWhole(join(folder, REPORT_FILES.json), `${JSON.stringify(figures, null, 1)}\n`);
  return figures;
}

/** The files of a comparison. */
export const COMPARISON_FILES = { html: 'comparison.html', json: 'comparison.json' } as const;

/** Which runs are compared, and where that is written. */
export interface WriteComparisonOptions extends CompareOptions {
  /** Folders of the runs; differences are from the first. */
  readonly runs: readonly string[];
  /** Where the comparison goes. */
  readonly folder: string;
}

/**
 * Writes comparison.html and comparison.json of several runs, each called by its folder's name, or by its path where two have one
 * name.
 *
 * @throws ReportError NOT_COMPARABLE, READ_FAILED, WRITE_FAILED, INVALID_RESULTS
 */
export async function writeComparison({ runs, folder, ...options }: WriteComparisonOptions): Promise<RunComparison> {
  const names = runs.map((run) => basename(resolve(run)));
  const compared: ComparedRun[] = [];
  for (const [index, run] of runs.entries()) {
    const { figures, test } = await readRun(run);
    const own = names[index]!;
    compared.push({ name: names.indexOf(own) === names.lastIndexOf(own) ? own : run, figures, test });
  }
  const comparison = compareRuns(compared, options);
  await writeWhole(join(folder, COMPARISON_FILES.html), comparisonHtml(comparison));
  await writeWhole(join(folder, COMPARISON_FILES.json), `${JSON.stringify(comparison, null, 1)}\n`);
  return comparison;
}

/** A run as its folder has it. @throws ReportError READ_FAILED where the folder holds none */
async function readRun(
  folder: string,
  { title, results: given }: { readonly title?: string; readonly results?: RunResults } = {},
): Promise<Omit<ComparedRun, 'name'>> {
  const recorded = await exists(join(folder, RUN_FILE));
  if (given === undefined && !recorded && !(await exists(join(folder, RESULTS_FILE)))) {
    throw new ReportError('READ_FAILED', `there is neither ${RUN_FILE} nor ${RESULTS_FILE} in it`, {
      place: folder,
      remedy: "Name a run's folder",
    });
  }
  const results = given ?? (await readResults(folder));
  const events = recorded ? await readRunEvents(folder) : [];
  return { figures: reportFigures({ events, results, title }), test: results.test };
}

/** What `results.json` of a folder holds; nothing where there is none. @throws ReportError READ_FAILED */
export async function readResults(folder: string): Promise<RunResults> {
  const place = join(folder, RESULTS_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(place, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ReportError('READ_FAILED', error instanceof Error ? error.message : String(error), {
      place,
      cause: error,
    });
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new ReportError('READ_FAILED', 'it is not a JSON object', { place });
}

async function exists(path: string): Promise<boolean> {
  try {
    await (await open(path)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new ReportError('READ_FAILED', error instanceof Error ? error.message : String(error), {
      place: path,
      cause: error,
    });
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new ReportError('WRITE_FAILED', error instanceof Error ? error.message : String(error), {
      place: path,
      cause: error,
    });
  }
}
