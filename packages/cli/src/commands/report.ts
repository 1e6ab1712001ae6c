import { join } from 'node:path';
import { ensureWritableFolder } from '@qlora-js/hub/node';
import type { RunComparison, ScoreInterval } from '@qlora-js/report';
import type { TerminalOutput } from '@qlora-js/terminal';
import type { OptionTable, OptionValues } from '../options/spec';
import { TERMINAL_OPTIONS } from '../options/train-options';

/** Options of `report`. */
export const REPORT_OPTIONS = {
  outputDir: {
    kind: 'text',
    placeholder: 'folder',
    default: '.',
    group: 'Comparing:',
    basic: true,
    help: 'where comparison.html and comparison.json go; the report of one run goes into its folder',
  },
  quiet: TERMINAL_OPTIONS.quiet,
  json: TERMINAL_OPTIONS.json,
} as const satisfies OptionTable;

/** What `report` is told. */
export type ReportValues = OptionValues<typeof REPORT_OPTIONS>;

/** Draws the report of one run, or compares several on the same test rows. */
export async function report(
  folders: readonly string[],
  { outputDir, json }: ReportValues,
  output: TerminalOutput,
): Promise<void> {
  // Loaded here: charts would slow the start of every other command.
  const { COMPARISON_FILES, REPORT_FILES, writeComparison, writeReport } = await import('@qlora-js/report/node');
  const [folder, ...others] = folders;
  if (others.length === 0) {
    const figures = await writeReport({ folder: folder! });
    for (const note of figures.notes) output.warn(note);
    output.line(`report: ${join(folder!, REPORT_FILES.html)}`);
    if (json) console.log(JSON.stringify(figures));
    return;
  }
  await ensureWritableFolder(outputDir);
  const comparison = await writeComparison({ runs: folders, folder: outputDir });
  for (const note of comparison.notes) output.warn(note);
  for (const line of comparisonLines(comparison)) output.line(line);
  output.line(`comparison: ${join(outputDir, COMPARISON_FILES.html)}`);
  if (json) console.log(JSON.stringify(comparison));
}

function comparisonLines({ scores }: RunComparison): string[] {
  return scores.map(({ name, accuracy, f1, accuracyDifference }) => {
    const difference = accuracyDifference === null ? '' : `  difference of accuracy ${interval(accuracyDifference)}`;
    return `${name}  accuracy ${interval(accuracy)}  f1 ${interval(f1)}${difference}`;
  });
}

function interval({ estimate, low, high }: ScoreInterval): string {
  return `${estimate.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;
}
