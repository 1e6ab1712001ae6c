import { terminalOutput, type TerminalOutput } from '@qlora-js/terminal';

/** How a command speaks. */
export interface TerminalOptions {
  /** Show what is under way; off for logs. Default true. */
  readonly progress?: boolean;
  /** Say warnings alone. Default false. */
  readonly quiet?: boolean;
  /** Leave standard output to the result, and say everything else as JSON lines on standard error. Default false. */
  readonly json?: boolean;
  /** Leave standard output to the result, in any form. Default: what `json` says. */
  readonly resultOnly?: boolean;
}

/**
 * The process' terminal: lines on standard output, or on standard error where the result is to stand on standard output alone;
 * warnings and the status area on standard error, so that a redirected log stays readable.
 */
export function openTerminal(options: TerminalOptions): TerminalOutput {
  const { progress = true, quiet = false, json = false, resultOnly = json } = options;
  const output = terminalOutput({
    mode: quiet ? 'quiet' : json ? 'json' : 'auto',
    out: resultOnly ? process.stderr : process.stdout,
    status: process.stderr,
  });
  if (progress) return output;
  return { ...output, bar: () => ({ update: () => undefined, stop: () => undefined }), note: () => undefined };
}
