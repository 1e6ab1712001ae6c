import type { RunDescription, RunTracking } from '@qlora-js/tracking';

/** Begins the record of a training; `adapterName` tells the trainings of one run apart. */
export type StartTracking = (adapterName: string, run: RunDescription) => Promise<RunTracking>;
