import type { TrainValues } from '@qlora-js/cli';

/** The reference notebook's settings, and the figures of its run, which a run here is compared with. */
export const PRESETS = {
  outputDir: './final_qlora_dialogpt_nf4',
  project: 'banking77',
  trials: 5,
  warmupSteps: 100,
  previousAccuracy: 0.93,
  previousF1: 0.93,
  previousTokensPerSec: 90_000,
  previousMemoryGib: 7.2,
} as const satisfies Partial<TrainValues>;
