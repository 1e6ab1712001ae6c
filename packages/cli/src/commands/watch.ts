import { runFolders } from '@qlora-js/tracking/node';
import type { TerminalOutput } from '@qlora-js/terminal';
import { watchRuns } from '@qlora-js/terminal/node';
import type { OptionTable, OptionValues } from '../options/spec';
import { TERMINAL_OPTIONS } from '../options/train-options';

const { quiet: _, ...SPEECH } = TERMINAL_OPTIONS;

/** Options of `watch`. */
export const WATCH_OPTIONS = {
  ...SPEECH,
  json: { ...TERMINAL_OPTIONS.json, help: 'everything as JSON lines on standard error' },
} as const satisfies OptionTable;

/** What `watch` is told. */
export type WatchValues = OptionValues<typeof WATCH_OPTIONS>;

/** Follows the runs of a folder, those that begin later among them, until a signal ends it. */
export async function watch(folder: string, output: TerminalOutput): Promise<void> {
  const stop = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const end = (): void => stop.abort();
  for (const signal of signals) process.once(signal, end);
  try {
    if ((await runFolders(folder)).length === 0) output.line(`${folder} has no run yet: waiting for one`);
    await watchRuns({ folder, output, signal: stop.signal });
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}
