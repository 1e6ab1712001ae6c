import { readFileSync } from 'node:fs';
import { goldenPath } from '../../../../tools/test/golden';
import { type ParamValue } from '../distribution/distribution';

type Points = Record<string, number[]>;

export interface GoldenTrial {
  state: string;
  reports: number;
  value: number | null;
  params: Record<string, ParamValue>;
}

/** What tools/python/golden/search_cases.py wrote. */
export interface OptunaGoldens {
  random_state: {
    seed: number;
    random: number[];
    uniform: number[];
    shuffled: number[];
    chosen: number[];
    choices: number[];
    after_700: number;
  }[];
  log_ndtr: [x: number, logCdf: number][];
  erf: [x: number, erf: number, erfc: number][];
  log_gauss_mass: [a: number, b: number, logMass: number][];
  ppf: [q: number, a: number, b: number, x: number][];
  argsort: [values: number[], order: number[]][];
  distributions: Record<string, string>;
  uniform_draws: { seed: number; draws: [name: string, value: ParamValue][] };
  adjusted_high: [low: number, high: number, step: number, adjusted: number][];
  parzen: {
    prior_weight: number;
    magic_clip: boolean;
    endpoints: boolean;
    observations: Points;
    seed: number;
    sampled: Points;
    log_pdf: number[];
    points: Points;
    points_log_pdf: number[];
  }[];
  percentiles: [values: number[], percentile: number, result: number][];
  crc32: [text: string, checksum: number][];
  studies: {
    name: string;
    seed: number;
    steps: number;
    nan: boolean;
    direction: 'minimize' | 'maximize';
    trials: GoldenTrial[];
  }[];
  asked: { seed: number; trials: GoldenTrial[]; best: number };
  index_names: { seed: number; trials: GoldenTrial[]; names: string[][] };
  grid: { seed: number; params: Record<string, ParamValue>[] };
}

const words = new Map([
  ['nan', NaN],
  ['inf', Infinity],
  ['-inf', -Infinity],
]);

function read(): OptunaGoldens {
  const text = readFileSync(goldenPath('optuna/cases.jsonl'), 'utf8');
  const lines = text.trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const parsed: unknown = JSON.parse(line, (_key, value: unknown) =>
        typeof value === 'string' ? (words.get(value) ?? value) : value,
      );
      return parsed as [string, unknown];
    }),
  ) as unknown as OptunaGoldens;
}

export const goldens = read();
