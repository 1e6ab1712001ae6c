import { HpoError, shown } from '../../errors';
import { type RandomState } from '../../random/random-state';
import { isFinished, type TrialState } from '../../trial/frozen-trial';

/** A parameter of a trial, its candidates and which of them the trial has. */
export interface Branch {
  name: string;
  /** Internal values. */
  candidates: readonly number[];
  value: number;
}

/** How much an equal share for each child counts, beside a share by what is open below it. */
const flatShare = 0.5;

/**
 * What has been tried of a search space that shows itself only as trials run: an inner node is a parameter, its children
 * are the candidates. One whose children are not known is open (not tried, or under way), one with none is an end.
 * Source: optuna.samplers._brute_force._TreeNode; there a trial that failed halfway makes every later one fail.
 */
export class TriedTree {
  private name: string | undefined;
  private children: Map<number, TriedTree> | undefined;
  private running = false;
  /** Whether it is an end because a trial failed here, which may have been in the middle. */
  private failed = false;

  /** Makes a parameter's node of an open one. Throws HpoError `INVALID_ARGUMENT` where it is another's already. */
  expand(name: string, candidates: readonly number[]): void {
    if (this.children === undefined || this.failed) {
      this.failed = false;
      this.name = name;
      this.children = new Map(candidates.map((value) => [value, new TriedTree()]));
      return;
    }
    const known = [...this.children.keys()];
    if (this.name === name && known.length === candidates.length && known.every((it, i) => it === candidates[i]))
      return;
    throw new HpoError(
      'INVALID_ARGUMENT',
      `the search space changed: ${shown(this.name)} of ${shown(known)} before, ${shown(name)} of ${shown(candidates)} now`,
      { place: name, remedy: 'BruteForceSampler needs parameters and ranges that follow from those before them' },
    );
  }

  /** Adds a trial's parameters; one with a value that is no candidate changes nothing. */
  add([branch, ...rest]: readonly Branch[], state: TrialState): void {
    if (branch !== undefined) {
      this.expand(branch.name, branch.candidates);
      this.children!.get(branch.value)?.add(rest, state);
    } else if (!isFinished(state)) this.running = true;
    else if (this.children === undefined) {
      this.children = new Map();
      this.failed = state === 'FAIL';
    } else if (this.name !== undefined && state !== 'FAIL') {
      throw new HpoError(
        'INVALID_ARGUMENT',
        `the search space changed: a trial ended where another went on to ${shown(this.name)}`,
        { place: this.name },
      );
    }
  }

  /** Number of open nodes; with `idle`, of those that no trial is at. */
  open(idle: boolean): number {
    if (this.children === undefined) return idle && this.running ? 0 : 1;
    let sum = 0;
    for (const child of this.children.values()) sum += child.open(idle);
    return sum;
  }

  /** One of the candidates with something open below it, those that no trial is at first. */
  draw(random: RandomState, idle: boolean): number {
    const entries = [...this.children!];
    const counts = entries.map(([, child]) => child.open(idle));
    const total = counts.reduce((sum, count) => sum + count, 0);
    const openChildren = counts.filter((count) => count > 0).length;
    let weights = counts.map(
      (count) => (1 - flatShare) * (count / total) + flatShare * ((count > 0 ? 1 : 0) / openChildren),
    );
    if (entries.some(([, child], i) => !child.running && weights[i]! > 0)) {
      weights = weights.map((weight, i) => (entries[i]![1].running ? 0 : weight));
    }
    const sum = weights.reduce((before, weight) => before + weight, 0);
    const [index] = random.choices(
      weights.map((weight) => weight / sum),
      1,
    );
    return entries[index!]![0];
  }
}
