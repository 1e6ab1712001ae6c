import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@qlora-js/hub/node';
import type { EarlierFigures, RunResults, SavedFiles } from '@qlora-js/report';
import type { Output } from '../run/output';

/** What a report says that the run itself does not know. */
export interface ReportSettings {
  /** Figures of an earlier run to compare with. */
  readonly earlier?: EarlierFigures;
  /** The command that was given. */
  readonly command?: string;
}

/**
 * Writes results.json, report.html and report.json into a run's folder. Whatever goes wrong is a warning: what was trained is
 * saved already.
 */
export async function writeRunReport(
  folder: string,
  results: RunResults,
  {
    settings,
    output,
    saved,
  }: { readonly settings: ReportSettings; readonly output: Output; readonly saved?: SavedFiles },
): Promise<void> {
  const { earlier, command } = settings;
  try {
    // Loaded here, since charts take their time to load and a run may want none.
    const { RESULTS_FILE, REPORT_FILES, writeReport } = await import('@qlora-js/report/node');
    const whole: RunResults = {
      ...results,
      description: { ...results.description, ...(command === undefined ? {} : { command: { command } }) },
      ...(earlier === undefined ? {} : { earlier }),
      ...(saved === undefined ? {} : { saved }),
    };
    await writeFileAtomic(join(folder, RESULTS_FILE), `${JSON.stringify(whole)}\n`);
    await writeReport({ folder, results: whole });
    output.line(`report: ${join(folder, REPORT_FILES.html)}`);
  } catch (error) {
    output.warn(
      `the report could not be written, everything else is saved: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Code that loads an adapter of a base from a folder. */
export type LoadingCode = (folder: string, base: string) => { readonly typescript: string; readonly python: string };

/** The files of a saved adapter, and how it is loaded. */
export async function savedFiles(
  folder: string,
  names: readonly string[],
  load: ReturnType<LoadingCode>,
): Promise<SavedFiles> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return {
    folder,
    files: names.map((name, index) => ({ name, size: sizes[index]! })),
    load,
  };
}
