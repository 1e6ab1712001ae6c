import { type Distribution, sameDistribution, type SearchSpace, toInternal } from '../../distribution/distribution';
import { orderedRecord } from '../../ordered-record';
import { compareNames } from '../../study/compare-names';
import { type Direction } from '../../study/direction';
import { type FrozenTrial } from '../../trial/frozen-trial';
import { SpaceGroups } from './groups';
import { GrowingFloats, SortedIndices } from './growing';
import { KernelTable } from './kernel-table';
import { continuousOf } from './parzen-estimator';
import { type Rank, rankOf, comparedRanks } from './rank';

/** What ended trials used for one parameter. */
export interface Column {
  /** Internal value of each row; NaN where the trial does not have the parameter. */
  readonly values: GrowingFloats;
  /** The same on the kernels' scale: the logarithm, where the distribution has one. */
  readonly scaled: GrowingFloats;
  /** Rows that have the parameter, by value, then by trial number. */
  readonly sorted: SortedIndices;
}

/** Of so many search spaces kernels are kept; a study seldom has more than its parameters and a few groups of them. */
const tablesLimit = 64;

/**
 * A study's ended trials, in the form that samplers want them in and brought up to date by what is new: an ended trial
 * never changes, so each is looked at once, and no suggestion sorts thousands of them again. A row is a trial.
 */
export class History {
  private readonly numbers = new GrowingFloats();
  private readonly ranks: Rank[] = [];
  private readonly seen = new Set<number>();
  private readonly columns = new Map<string, Column>();
  private readonly tablesBySpace = new Map<string, readonly [KernelTable, KernelTable]>();
  private common: Map<string, Distribution> | undefined;
  private commonSpace: SearchSpace = {};
  private readonly groups = new SpaceGroups();
  private last: readonly FrozenTrial[] = [];
  /** Rows by trial number. */
  readonly byNumber = new SortedIndices();
  /** Rows from the best to the worst. */
  readonly ranked = new SortedIndices();

  constructor(
    private readonly direction: Direction,
    private readonly grouped: boolean,
  ) {}

  /** Number of trials that have completed or been pruned. */
  get length(): number {
    return this.numbers.length;
  }

  /** Trial number of a row. */
  numberOf(row: number): number {
    return this.numbers.values[row]!;
  }

  /** The parameters that all ended trials have, with one distribution each, by name. */
  get intersection(): SearchSpace {
    return this.commonSpace;
  }

  /** All parameters, in groups that are drawn together. */
  get spaceGroups(): readonly SearchSpace[] {
    return this.groups.list();
  }

  /** @param trials all that have completed or been pruned */
  update(trials: readonly FrozenTrial[]): void {
    if (trials === this.last) return;
    this.last = trials;
    for (const trial of trials) if (!this.seen.has(trial.number)) this.add(trial);
  }

  /** What the trials used for a parameter; undefined where none has it. */
  column(name: string): Column | undefined {
    return this.columns.get(name);
  }

  /** Kernels of the better and of the other trials over a space, a row being a slot. */
  tables(space: SearchSpace): readonly [below: KernelTable, above: KernelTable] {
    const key =
      JSON.stringify(Object.entries(space).map(([name, { kind }]) => [name, kind])) + continuousOf(space).join();
    let tables = this.tablesBySpace.get(key);
    if (tables === undefined) {
      if (this.tablesBySpace.size >= tablesLimit) this.tablesBySpace.clear();
      tables = [new KernelTable(continuousOf(space)), new KernelTable(continuousOf(space))];
      this.tablesBySpace.set(key, tables);
    }
    return tables;
  }

  private add(trial: FrozenTrial): void {
    const row = this.length;
    this.seen.add(trial.number);
    this.numbers.push(trial.number);
    this.ranks.push(rankOf(trial, this.direction));
    const isNewer = (other: number) => this.numberOf(other) > trial.number;
    this.byNumber.insert(row, isNewer);
    this.ranked.insert(
      row,
      (other) => comparedRanks(this.ranks[other]!, this.ranks[row]!) > 0 || this.isTie(other, row),
    );
    for (const [name, column] of this.columns) {
      if (!Object.hasOwn(trial.distributions, name)) {
        column.values.push(NaN);
        column.scaled.push(NaN);
      }
    }
    for (const [name, distribution] of Object.entries(trial.distributions)) {
      const column = this.columnFor(name, row);
      const value = toInternal(distribution, trial.params[name], name);
      column.values.push(value);
      column.scaled.push(distribution.kind !== 'categorical' && distribution.log ? Math.log(value) : value);
      const values = column.values.values;
      column.sorted.insert(
        row,
        (other) => values[other]! > value || (values[other] === value && this.numberOf(other) > trial.number),
      );
    }
    this.narrow(trial.distributions);
    if (this.grouped) this.groups.add(trial.distributions);
  }

  /** Among equals the earlier trial comes first, whichever ended first. */
  private isTie(other: number, row: number): boolean {
    return comparedRanks(this.ranks[other]!, this.ranks[row]!) === 0 && this.numberOf(other) > this.numberOf(row);
  }

  private columnFor(name: string, row: number): Column {
    let column = this.columns.get(name);
    if (column === undefined) {
      column = {
        values: new GrowingFloats(),
        scaled: new GrowingFloats(),
        sorted: new SortedIndices(),
      };
      for (let earlier = 0; earlier < row; earlier++) {
        column.values.push(NaN);
        column.scaled.push(NaN);
      }
      this.columns.set(name, column);
    }
    return column;
  }

  /** Source: optuna.search_space.IntersectionSearchSpace(include_pruned=True). */
  private narrow(distributions: FrozenTrial['distributions']): void {
    const before = this.common;
    if (before === undefined) this.common = new Map(Object.entries(distributions));
    else {
      for (const [name, distribution] of before) {
        const now = Object.hasOwn(distributions, name) ? distributions[name] : undefined;
        if (now === undefined || !sameDistribution(now, distribution)) before.delete(name);
      }
      if (before.size === Object.keys(this.commonSpace).length) return;
    }
    this.commonSpace = orderedRecord([...this.common!].sort(([a], [b]) => compareNames(a, b)));
  }
}
