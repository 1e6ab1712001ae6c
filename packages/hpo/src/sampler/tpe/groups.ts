import { isSingle, type SearchSpace } from '../../distribution/distribution';
import { orderedRecord } from '../../ordered-record';
import { compareNames } from '../../study/compare-names';

/**
 * Parameters in groups of which a trial has all or none, so that each group can be drawn together in a space where some
 * parameters only exist beside certain values of others. Source: optuna.search_space._GroupDecomposedSearchSpace.
 */
export class SpaceGroups {
  private groups: SearchSpace[] = [];

  /** Takes a trial's parameters: a group that it has in part falls in two, what no group has is one of its own. */
  add(distributions: SearchSpace): void {
    const left = new Map(Object.entries(distributions));
    const next: SearchSpace[] = [];
    for (const group of this.groups) {
      const entries = Object.entries(group);
      next.push(orderedRecord(entries.filter(([name]) => left.has(name))));
      next.push(orderedRecord(entries.filter(([name]) => !left.has(name))));
      for (const [name] of entries) left.delete(name);
    }
    next.push(orderedRecord(left));
    this.groups = next.filter((group) => Object.keys(group).length > 0);
  }

  /** The groups, each sorted by name and without parameters that have one value only. */
  list(): SearchSpace[] {
    return this.groups.map((group) =>
      orderedRecord(
        Object.entries(group)
          .filter(([, distribution]) => !isSingle(distribution))
          .sort(([a], [b]) => compareNames(a, b)),
      ),
    );
  }
}
