import { type SearchSpace, toInternal } from '../../distribution/distribution';
import { argsort, networkLimit } from './argsort';
import { CategoricalKernels } from './categorical-kernels';
import { GrowingFloats, SortedIndices } from './growing';
import { type Column, type History } from './history';
import { type Slots } from './kernels';
import { type KernelColumn, numericalKernels, ParzenEstimator, type ParzenEstimatorOptions } from './parzen-estimator';

/** A trial that has not ended, with the parameters it uses or is about to use. */
export interface OpenTrial {
  /** The trial's number. */
  number: number;
  /** Parameters by name. */
  params: Readonly<Record<string, unknown>>;
}

/** Sides that a row of the history, or a guess behind them, can be on. */
const neither = 0;
const below = 1;
const above = 2;

/** Slots of one side by trial number: rows of the history, and the guesses, whose slots come behind them. */
function membersOf(history: History, guesses: readonly OpenTrial[], sides: Uint8Array, side: number): Int32Array {
  const members = new Int32Array(history.length + guesses.length);
  const byNumber = history.byNumber.values;
  let count = 0;
  let guess = 0;
  const take = (slot: number) => {
    if (sides[slot] === side) members[count++] = slot;
  };
  for (let i = 0; i < history.length; i++) {
    const row = byNumber[i]!;
    const number = guess < guesses.length ? history.numberOf(row) : -1;
    while (guess < guesses.length && guesses[guess]!.number < number) take(history.length + guess++);
    take(row);
  }
  while (guess < guesses.length) take(history.length + guess++);
  return members.subarray(0, count);
}

/** Slots of one side sorted by mean: the history's own order, and the guesses put in. */
function orderOf(
  { sorted }: Column,
  means: Float64Array,
  { sides, side, members, rows }: { sides: Uint8Array; side: number; members: Int32Array; rows: number },
): Int32Array {
  const order = new Int32Array(members.length);
  const slots = sorted.values;
  const guesses: number[] = [];
  for (let slot = rows; slot < sides.length; slot++) if (sides[slot] === side) guesses.push(slot);
  guesses.sort((a, b) => means[a]! - means[b]!);
  let count = 0;
  let guess = 0;
  let ties = false;
  let last = NaN;
  for (let i = 0; i < sorted.length; i++) {
    const slot = slots[i]!;
    if (sides[slot] !== side) continue;
    const mean = means[slot]!;
    while (guess < guesses.length && means[guesses[guess]!]! < mean) {
      const other = guesses[guess++]!;
      ties ||= means[other] === last;
      last = means[other]!;
      order[count++] = other;
    }
    ties ||= mean === last;
    last = mean;
    order[count++] = slot;
  }
  while (guess < guesses.length) {
    const other = guesses[guess++]!;
    ties ||= means[other] === last;
    last = means[other]!;
    order[count++] = other;
  }
  if (!ties || (count > networkLimit && guesses.length === 0)) return order;
  return argsort(Float64Array.from(members, (slot) => means[slot]!)).map((member) => members[member]!);
}

const emptyColumn = (): Column => ({
  values: new GrowingFloats(),
  scaled: new GrowingFloats(),
  sorted: new SortedIndices(),
});

/**
 * The densities of the better and of the other trials over a space. Trials that lack one of its parameters are left
 * out. Source: optuna.samplers.TPESampler._build_parzen_estimator.
 */
export function makeEstimators({
  history,
  open,
  nBelow,
  space,
  options,
}: {
  history: History;
  open: readonly OpenTrial[];
  nBelow: number;
  space: SearchSpace;
  options: ParzenEstimatorOptions;
}): { better: ParzenEstimator; worse: ParzenEstimator } {
  const rows = history.length;
  const params = Object.entries(space).map(
    ([name, distribution]) => ({ name, distribution, column: history.column(name) ?? emptyColumn() }) as const,
  );
  const guesses = open
    .filter((trial) => params.every(({ name }) => Object.hasOwn(trial.params, name)))
    .sort((a, b) => a.number - b.number);
  const sides = new Uint8Array(rows + guesses.length).fill(above);
  const ranked = history.ranked.values;
  for (let i = 0; i < Math.min(nBelow, rows); i++) sides[ranked[i]!] = below;
  const prior = rows + guesses.length;
  for (const { name, distribution, column } of params) {
    if (column.sorted.length < rows) {
      const { values, length } = column.values;
      for (let row = 0; row < rows; row++) if (row >= length || Number.isNaN(values[row]!)) sides[row] = neither;
    }
    column.scaled.reserve(prior + 1 - column.scaled.length);
    guesses.forEach((trial, guess) => {
      const value = toInternal(distribution, trial.params[name], name);
      const log = distribution.kind !== 'categorical' && distribution.log;
      column.scaled.values[rows + guess] = log ? Math.log(value) : value;
    });
  }

  const tables = history.tables(space);
  const estimator = (side: typeof below | typeof above) => {
    const slots: Slots = { members: membersOf(history, guesses, sides, side), prior };
    const table = tables[side - 1]!;
    let numerical = 0;
    const columns = params.map(({ name, distribution, column }): KernelColumn => {
      const means = column.scaled.values;
      if (distribution.kind === 'categorical') {
        return { name, kernels: new CategoricalKernels(means, distribution, slots, options) };
      }
      const order = orderOf(column, means, { sides, side, members: slots.members, rows });
      const known = { means, order, store: table.column(numerical++), lasting: rows };
      return { name, kernels: numericalKernels(distribution, known, slots, options) };
    });
    return new ParzenEstimator(columns, table, slots, options);
  };
  return { better: estimator(below), worse: estimator(above) };
}
