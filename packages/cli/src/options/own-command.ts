import type { TerminalOutput } from '@qlora-js/terminal';
import type { TerminalOptions } from '../terminal/output';
import type { ResolvedOptions } from './check';
import type { OptionTable } from './spec';

/** A command whose options come from a table. */
export interface OwnCommand<Values> {
  /** What it is called. */
  readonly name: string;
  /** A sentence for the help. */
  readonly description: string;
  /** Its options. */
  readonly table: OptionTable;
  /** Default: the table's. */
  readonly defaults?: Values;
  /** Further words on the command line, and their help. */
  readonly words?: readonly [name: string, help: string];
  /** Does it, and says what on `output`. */
  readonly run: (
    given: ResolvedOptions<Values> & { readonly words: readonly string[] },
    output: TerminalOutput,
  ) => Promise<void>;
}

/** Adds a command. */
export type AddCommand = <Values extends TerminalOptions>(command: OwnCommand<Values>) => void;
