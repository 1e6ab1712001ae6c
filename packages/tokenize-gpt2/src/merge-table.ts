/** Int32 words of a slot: left id, right id, rank, id of the product. */
const slotWords = 4;
const empty = -1;

/**
 * Merges by pair of ids, in one flat Int32Array with open addressing: a look-up allocates nothing and usually touches
 * one cache line. Kept at most half full.
 */
export class MergeTable {
  /** Slots of four words; -1 as the left id marks a free one. Read together with `find`. */
  readonly slots: Int32Array;
  private readonly mask: number;
  /** Slots looked at by all insertions so far. */
  probes = 0;

  /** @param capacity the most merges that will be inserted */
  constructor(capacity: number) {
    let count = 16;
    while (count < capacity * 2) count *= 2;
    this.mask = count - 1;
    this.slots = new Int32Array(count * slotWords).fill(empty);
  }

  /** Enters a merge; false if the pair was there already (and stays as it was). */
  insert(left: number, right: number, rank: number, product: number): boolean {
    const at = this.probe(left, right);
    this.probes += (((at / slotWords - this.home(left, right)) & this.mask) >>> 0) + 1;
    if (this.slots[at] !== empty) return false;
    this.slots[at] = left;
    this.slots[at + 1] = right;
    this.slots[at + 2] = rank;
    this.slots[at + 3] = product;
    return true;
  }

  /** Where in `slots` the pair's entry begins, or -1: rank at +2, product at +3. */
  find(left: number, right: number): number {
    const at = this.probe(left, right);
    return this.slots[at] === empty ? -1 : at;
  }

  private probe(left: number, right: number): number {
    const { slots, mask } = this;
    for (let slot = this.home(left, right); ; slot = (slot + 1) & mask) {
      const at = slot * slotWords;
      const found = slots[at]!;
      if (found === empty || (found === left && slots[at + 1] === right)) return at;
    }
  }

  /** Where the search for a pair begins. */
  private home(left: number, right: number): number {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    return hash & this.mask;
  }
}
