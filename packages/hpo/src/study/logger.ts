/** Where a study says what happens. `info`: a trial's end. `warn`: what the caller should know of and act on. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
}

/** Warnings go to console.warn; information goes nowhere. */
export const defaultLogger: Logger = {
  info: () => undefined,
  warn: (message) => console.warn(`[hpo] ${message}`),
};
