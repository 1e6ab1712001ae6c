import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readRunEvents, RUN_FILE } from '@qlora-js/tracking/node';
import { ReportError } from '../errors';
import { type ReportFigures } from '../figures/report-figures';
import { reportFigures } from '../figures/run-figures';
import { type RunResults } from '../input';
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
  const results = options.results ?? (await readResults(folder));
  const events = (await exists(join(folder, RUN_FILE))) ? await readRunEvents(folder) : [];
  const figures = reportFigures({ events, results, title });
  await writeWhole(join(folder, REPORT_FILES.html), reportHtml(figures));
  await writeWhole(join(folder, REPORT_FILES.json), `${JSON.stringify(figures, null, 1)}\n`);
  return figures;
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
