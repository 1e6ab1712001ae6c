/** What is known of the values up to one of them, so that no pruner looks through all of them at every step. */
interface Summary {
  readonly lastStep: number;
  /** The highest step below the last one; -1 where there is none. */
  readonly stepBefore: number;
  /** NaN where every value is. */
  readonly lowest: number;
  readonly highest: number;
}

/** Values in the order of their reports, shared by the snapshots of a trial; each snapshot sees its first so many. */
interface Shared {
  readonly entries: [step: number, value: number][];
  readonly placeOf: Map<number, number>;
  readonly summaries: Summary[];
}

function summaryWith(before: Summary | undefined, step: number, value: number): Summary {
  if (before === undefined) return { lastStep: step, stepBefore: -1, lowest: value, highest: value };
  const { lastStep, stepBefore, lowest, highest } = before;
  const isNumber = !Number.isNaN(value);
  return {
    lastStep: Math.max(lastStep, step),
    stepBefore: step > lastStep ? lastStep : Math.max(stepBefore, step),
    lowest: isNumber && !(lowest <= value) ? value : lowest,
    highest: isNumber && !(highest >= value) ? value : highest,
  };
}

/**
 * A trial's reported values by step, in the order of the reports. It never changes; the values with one more share
 * what they have in common, so that n reports cost n and not n * n.
 */
export class ReportedValues implements ReadonlyMap<number, number> {
  private constructor(
    private readonly shared: Shared,
    readonly size: number,
  ) {}

  static of(entries: Iterable<readonly [step: number, value: number]> = []): ReportedValues {
    const shared: Shared = { entries: [], placeOf: new Map(), summaries: [] };
    for (const [step, value] of new Map(entries)) ReportedValues.push(shared, step, value);
    return new ReportedValues(shared, shared.entries.length);
  }

  /** The values with one set: an old step keeps its place, a new one comes last. */
  with(step: number, value: number): ReportedValues {
    const { shared, size } = this;
    if (this.has(step)) return ReportedValues.of([...this, [step, value]]);
    // Another snapshot has gone on from here in another way.
    if (shared.entries.length > size) return ReportedValues.of([...this, [step, value]]);
    ReportedValues.push(shared, step, value);
    return new ReportedValues(shared, size + 1);
  }

  /** The highest step; undefined where there is none. */
  get lastStep(): number | undefined {
    return this.summary?.lastStep;
  }

  /** The highest step but the last; -1 where there is none. */
  get stepBeforeLast(): number {
    return this.summary?.stepBefore ?? -1;
  }

  /** The lowest value; NaN where there is no number. */
  get lowest(): number {
    return this.summary?.lowest ?? NaN;
  }

  /** The highest value; NaN where there is no number. */
  get highest(): number {
    return this.summary?.highest ?? NaN;
  }

  has(step: number): boolean {
    return (this.shared.placeOf.get(step) ?? this.size) < this.size;
  }

  get(step: number): number | undefined {
    const place = this.shared.placeOf.get(step) ?? this.size;
    return place < this.size ? this.shared.entries[place]![1] : undefined;
  }

  forEach(callback: (value: number, step: number, map: ReadonlyMap<number, number>) => void, self?: unknown): void {
    for (const [step, value] of this) callback.call(self, value, step, this);
  }

  *entries(): MapIterator<[number, number]> {
    const { entries } = this.shared;
    for (let i = 0; i < this.size; i++) yield [...entries[i]!];
  }

  *keys(): MapIterator<number> {
    for (const [step] of this) yield step;
  }

  *values(): MapIterator<number> {
    for (const [, value] of this) yield value;
  }

  [Symbol.iterator](): MapIterator<[number, number]> {
    return this.entries();
  }

  private get summary(): Summary | undefined {
    return this.shared.summaries[this.size - 1];
  }

  private static push(shared: Shared, step: number, value: number): void {
    shared.placeOf.set(step, shared.entries.length);
    shared.entries.push([step, value]);
    shared.summaries.push(summaryWith(shared.summaries.at(-1), step, value));
  }
}
