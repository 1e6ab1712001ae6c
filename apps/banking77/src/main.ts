#!/usr/bin/env node
import { CommanderError } from 'commander';
import { UsageError } from './cli/options';
import { createProgram } from './cli/program';
import { predictTexts } from './pipeline/predict';
import { run } from './pipeline/run';
import { leaveCleanly } from './terminal/leave';
import { terminalOutput, type TerminalOptions, type TerminalOutput } from './terminal/output';

let terminal: TerminalOutput | undefined;
leaveCleanly(() => terminal?.restore());
const openTerminal = (options: TerminalOptions): TerminalOutput => (terminal = terminalOutput(options));

const program = createProgram({
  run: async (options) => {
    await run(options, openTerminal(options));
  },
  predict: async (options) => {
    const output = openTerminal({ progress: false });
    for (const { text, labels } of await predictTexts(options, {
      ...output,
      warn: (line) => console.error(`warning: ${line}`),
    })) {
      if (options.json) console.log(JSON.stringify({ text, labels }));
      else
        console.log(
          `${labels.map(({ label, probability }) => `${label} (${(100 * probability).toFixed(1)} %)`).join(', ')}\t${text}`,
        );
    }
  },
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode);
  if (!(error instanceof Error)) throw error;
  // Errors of the packages carry a code and say what to do; anything else is a fault of ours and shows its stack.
  const known = error instanceof UsageError || 'code' in error;
  console.error(known ? `error: ${error.message}` : error.stack);
  process.exit(1);
}
