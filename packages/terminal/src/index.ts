export { clock, progressLine, type Progress, type ProgressUnit } from './progress-line';
export { NO_RUN, rowLine, runNotes, type RunView, searchLine, viewAfter } from './run-view';
export { StatusArea, type TerminalStream } from './status-area';
export {
  type ActivityBar,
  type OutputMode,
  type TerminalOutput,
  terminalOutput,
  type TerminalOutputOptions,
} from './terminal-output';
