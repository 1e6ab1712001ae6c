import { type FrozenTrial, isFinished, type TrialState } from '../trial/frozen-trial';

/** A study's trials by number, with the lists that are asked for again and again kept until they change. */
export class TrialTable {
  private readonly trials: FrozenTrial[] = [];
  /** Numbers of the trials that have not ended. */
  private readonly open = new Set<number>();
  private readonly lists = new Map<string, readonly FrozenTrial[]>();

  /** Number of trials. */
  get length(): number {
    return this.trials.length;
  }

  at(number: number): FrozenTrial {
    return this.trials[number]!;
  }

  /** Adds the trial with the next number. */
  add(trial: FrozenTrial): void {
    this.trials.push(trial);
    if (isFinished(trial.state)) this.lists.clear();
    else this.open.add(trial.number);
  }

  /** Puts the newer look of a trial, which had not ended, into its place. */
  replace(trial: FrozenTrial): void {
    this.trials[trial.number] = trial;
    if (!isFinished(trial.state)) return;
    this.open.delete(trial.number);
    this.lists.clear();
  }

  /** The trials in one of some states, or all. Until one ends, a list of ended trials is the same object. */
  list(states?: readonly TrialState[]): readonly FrozenTrial[] {
    if (states === undefined) return this.trials.slice();
    const has = (trial: FrozenTrial) => states.includes(trial.state);
    if (!states.some(isFinished)) {
      return [...this.open]
        .map((number) => this.trials[number]!)
        .filter(has)
        .sort((a, b) => a.number - b.number);
    }
    if (!states.every(isFinished)) return this.trials.filter(has);
    const key = states.join();
    let list = this.lists.get(key);
    if (list === undefined) {
      list = Object.freeze(this.trials.filter(has));
      this.lists.set(key, list);
    }
    return list;
  }
}
