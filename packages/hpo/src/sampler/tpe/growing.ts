/** A list of numbers that grows at its end and takes insertions, in one typed array. */
export class GrowingFloats {
  private items = new Float64Array(64);
  private used = 0;

  /** Number of items. */
  get length(): number {
    return this.used;
  }

  /** The items, and room for more behind them. */
  get values(): Float64Array {
    return this.items;
  }

  /** Adds an item at the end. */
  push(value: number): void {
    this.reserve(1);
    this.items[this.used++] = value;
  }

  /** Makes room behind the items; what is written there stays until an item takes its place. */
  reserve(count: number): void {
    if (this.used + count <= this.items.length) return;
    const wider = new Float64Array(2 * (this.used + count));
    wider.set(this.items);
    this.items = wider;
  }
}

/** A list of indices kept in an order. */
export class SortedIndices {
  private items = new Int32Array(64);
  private used = 0;

  /** Number of indices. */
  get length(): number {
    return this.used;
  }

  /** The indices in order, and room for more behind them. */
  get values(): Int32Array {
    return this.items;
  }

  /** Inserts an index behind all that do not come after it. */
  insert(index: number, comesAfter: (other: number) => boolean): void {
    if (this.used === this.items.length) {
      const wider = new Int32Array(2 * this.used);
      wider.set(this.items);
      this.items = wider;
    }
    let [low, high] = [0, this.used];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comesAfter(this.items[middle]!)) high = middle;
      else low = middle + 1;
    }
    this.items.copyWithin(low + 1, low, this.used++);
    this.items[low] = index;
  }
}
