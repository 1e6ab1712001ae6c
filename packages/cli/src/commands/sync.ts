import type { TerminalOutput } from '@qlora-js/terminal';
import { syncRuns, TRACKER_NAMES } from '@qlora-js/tracking/node';
import type { OptionTable, OptionValues } from '../options/spec';
import { TERMINAL_OPTIONS } from '../options/train-options';

/** Options of `sync`. */
export const SYNC_OPTIONS = {
  reportTo: {
    kind: 'list',
    choices: TRACKER_NAMES,
    default: undefined,
    group: 'What to send:',
    basic: true,
    help: 'trackers to send to; left out, those that each run named',
  },
  quiet: TERMINAL_OPTIONS.quiet,
  json: TERMINAL_OPTIONS.json,
} as const satisfies OptionTable;

/** What `sync` is told. */
export type SyncValues = OptionValues<typeof SYNC_OPTIONS>;

/** Sends what trackers lack of the runs in a folder; true where all of it has arrived. */
export async function sync(folder: string, values: SyncValues, output: TerminalOutput): Promise<boolean> {
  const { reportTo, json } = values;
  const runs = await syncRuns({ folder, reportTo, report: (line) => output.warn(line) });
  for (const { folder: run, trackers } of runs) {
    const states = trackers.map(({ tracker, complete }) => `${tracker} ${complete ? 'has everything' : 'is behind'}`);
    output.line(`${run}: ${states.join(', ') || 'no tracker was named'}`);
  }
  if (json) {
    const outcomes = runs.map(({ folder: run, trackers }) => ({
      folder: run,
      trackers: trackers.map(({ tracker, complete, failures }) => ({ tracker, complete, failures })),
    }));
    console.log(JSON.stringify(outcomes));
  }
  return runs.every(({ trackers }) => trackers.every(({ complete }) => complete));
}
