import { CommanderError } from 'commander';
import { createProgram, type ProgramOptions } from './program';
import { leaveCleanly } from './terminal/leave';
import type { TerminalOutput } from '@qlora-js/terminal';
import { openTerminal } from './terminal/output';

/**
 * Runs a command line to its end, errors and signals included: errors that say what to do are shown as a line, others, which
 * are faults, with their stack.
 */
export async function runCommandLine(
  options: Omit<ProgramOptions, 'openTerminal'>,
  words = process.argv,
): Promise<void> {
  let terminal: TerminalOutput | undefined;
  leaveCleanly(() => terminal?.restore());
  const program = createProgram({ ...options, openTerminal: (told) => (terminal = openTerminal(told)) });
  try {
    await program.parseAsync(words);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode);
    if (!(error instanceof Error)) throw error;
    // Errors of the packages carry a code and say what to do; anything else is a fault of ours and shows its stack.
    console.error('code' in error ? `error: ${error.message}` : error.stack);
    process.exit(1);
  }
}
