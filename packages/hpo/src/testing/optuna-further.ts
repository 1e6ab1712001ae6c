import { readFileSync } from 'node:fs';
import { goldenPath } from '../../../../tools/test/golden';
import { type JsonValue } from '../json-value';
import { type GoldenTrial } from './optuna-goldens';

interface GoldenSearch {
  seed: number;
  trials: GoldenTrial[];
  system_attrs: Record<string, JsonValue>;
}

/** What tools/python/golden/search_further.py wrote. */
export interface FurtherGoldens {
  sequences: Record<'sobol' | 'sobol_wide' | 'halton' | 'halton_far', number[][]>;
  qmc_sobol: GoldenSearch;
  qmc_halton: GoldenSearch;
  partial_fixed: GoldenSearch;
  group: GoldenSearch;
  brute_force: GoldenSearch;
  prunings: Record<string, [state: string, reports: number][]>;
  importances: {
    name: string;
    seed: number;
    found: Record<'default' | 'local' | 'global' | 'raw' | 'target', Record<string, number>>;
  }[];
  table: { columns: string[]; rows: JsonValue[][] };
}

export const further = Object.fromEntries(
  readFileSync(goldenPath('optuna/further.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as [string, unknown]),
) as unknown as FurtherGoldens;
