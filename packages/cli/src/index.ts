export { UsageError, type UsageErrorDetails } from './errors';
export { type Commands, createProgram, type ProgramOptions } from './program';
export type { AddCommand, OwnCommand } from './options/own-command';
export { runCommandLine } from './run';
export { TRAIN_OPTIONS, type TrainValues } from './options/train-options';
export { defaultsOf, flagOf, type OptionSpec, type OptionTable, type OptionValues } from './options/spec';
export { type TerminalOptions } from './terminal/output';
