import { NO_TOKEN, type Vocabulary } from './vocabulary';

/** Words up to this many bytes are merged by scanning for the best pair; longer ones through a heap. */
const longestScanned = 40;
const noPair = 0x7fffffff;

/**
 * Byte-pair encoding of one word: while a neighbouring pair has a merge, the one of lowest rank (leftmost among equals)
 * is replaced by its product; tokenizers' models::bpe::Word::merge_all does the same.
 */
export class BytePairEncoder {
  /** Ids of the last word encoded; valid up to the count that `encode` returned. */
  ids = new Int32Array(256);
  private ranks = new Int32Array(256);
  private products = new Int32Array(256);

  constructor(private readonly vocabulary: Vocabulary) {}

  /** Encodes text[start, end) into `ids` and returns how many there are. Lone surrogates become U+FFFD. */
  encode(text: string, start: number, end: number): number {
    const most = (end - start) * 3;
    if (this.ids.length < most) {
      this.ids = new Int32Array(most);
      this.ranks = new Int32Array(most);
      this.products = new Int32Array(most);
    }
    const count = this.withoutMissing(this.readBytes(text, start, end));
    if (count < 2) return count;
    return count <= longestScanned ? this.mergeByScan(count) : this.mergeByHeap(count);
  }

  /** Writes the ids of the UTF-8 bytes of text[start, end) and returns their number. */
  private readBytes(text: string, start: number, end: number): number {
    const { ids } = this;
    const { idOfByte } = this.vocabulary;
    let count = 0;
    for (let at = start; at < end; at++) {
      let code = text.charCodeAt(at);
      if (code < 0x80) {
        ids[count++] = idOfByte[code]!;
        continue;
      }
      if (code < 0x800) {
        ids[count++] = idOfByte[0xc0 | (code >> 6)]!;
        ids[count++] = idOfByte[0x80 | (code & 0x3f)]!;
        continue;
      }
      if ((code & 0xf800) === 0xd800) {
        const low = code < 0xdc00 && at + 1 < end ? text.charCodeAt(at + 1) : 0;
        if ((low & 0xfc00) === 0xdc00) {
          at++;
          const codePoint = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
          ids[count++] = idOfByte[0xf0 | (codePoint >> 18)]!;
          ids[count++] = idOfByte[0x80 | ((codePoint >> 12) & 0x3f)]!;
          ids[count++] = idOfByte[0x80 | ((codePoint >> 6) & 0x3f)]!;
          ids[count++] = idOfByte[0x80 | (codePoint & 0x3f)]!;
          continue;
        }
        code = 0xfffd;
      }
      ids[count++] = idOfByte[0xe0 | (code >> 12)]!;
      ids[count++] = idOfByte[0x80 | ((code >> 6) & 0x3f)]!;
      ids[count++] = idOfByte[0x80 | (code & 0x3f)]!;
    }
    return count;
  }

  /** Takes the bytes that have no token out; how many are left. */
  private withoutMissing(count: number): number {
    const { ids } = this;
    let kept = 0;
    for (let at = 0; at < count; at++) if (ids[at] !== NO_TOKEN) ids[kept++] = ids[at]!;
    return kept;
  }

  /** Rank and product of the pair at `at` and `right` go to place `at`. */
  private lookUp(at: number, right: number): void {
    const { mergeTable } = this.vocabulary;
    const found = mergeTable.find(this.ids[at]!, this.ids[right]!);
    this.ranks[at] = found < 0 ? noPair : mergeTable.slots[found + 2]!;
    if (found >= 0) this.products[at] = mergeTable.slots[found + 3]!;
  }

  private mergeByScan(length: number): number {
    const { ids, ranks, products } = this;
    let count = length;
    for (let at = 0; at + 1 < count; at++) this.lookUp(at, at + 1);
    for (;;) {
      let best = noPair;
      let bestAt = -1;
      for (let at = 0; at + 1 < count; at++) {
        const rank = ranks[at]!;
        if (rank < best) {
          best = rank;
          bestAt = at;
        }
      }
      if (bestAt < 0) return count;
      ids[bestAt] = products[bestAt]!;
      count--;
      for (let at = bestAt + 1; at < count; at++) {
        ids[at] = ids[at + 1]!;
        ranks[at] = ranks[at + 1]!;
        products[at] = products[at + 1]!;
      }
      if (bestAt + 1 < count) this.lookUp(bestAt, bestAt + 1);
      if (bestAt > 0) this.lookUp(bestAt - 1, bestAt);
    }
  }

  private mergeByHeap(length: number): number {
    const { ids, ranks, products } = this;
    const next = new Int32Array(length);
    const previous = new Int32Array(length);
    for (let at = 0; at < length; at++) {
      next[at] = at + 1;
      previous[at] = at - 1;
    }
    // One queue entry a pair there is or was: rank first, then place. An entry whose place has another rank by now is stale.
    const queue = new PairQueue(length);
    const enter = (at: number): void => {
      const right = next[at]!;
      if (right >= length) {
        ranks[at] = noPair;
        return;
      }
      this.lookUp(at, right);
      if (ranks[at] !== noPair) queue.push(ranks[at]!, at);
    };
    for (let at = 0; at < length; at++) enter(at);
    while (queue.size > 0) {
      const { rank, at } = queue.pop();
      if (ranks[at] !== rank) continue;
      const right = next[at]!;
      ids[at] = products[at]!;
      ranks[right] = noPair;
      const after = next[right]!;
      next[at] = after;
      if (after < length) previous[after] = at;
      enter(at);
      if (previous[at]! >= 0) enter(previous[at]!);
    }
    let count = 0;
    for (let at = 0; at < length; at = next[at]!) ids[count++] = ids[at]!;
    return count;
  }
}

/** A binary heap of (rank, place), each entry one double: rank * 2^31 + place, exact below 2^53. */
class PairQueue {
  size = 0;
  private entries: Float64Array;

  constructor(capacity: number) {
    // Every merge takes one pair away and enters at most two.
    this.entries = new Float64Array(capacity * 3);
  }

  push(rank: number, at: number): void {
    const { entries } = this;
    const entry = rank * 0x80000000 + at;
    let child = this.size++;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (entries[parent]! <= entry) break;
      entries[child] = entries[parent]!;
      child = parent;
    }
    entries[child] = entry;
  }

  pop(): { rank: number; at: number } {
    const { entries } = this;
    const top = entries[0]!;
    const last = entries[--this.size]!;
    let parent = 0;
    for (;;) {
      let child = parent * 2 + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && entries[child + 1]! < entries[child]!) child++;
      if (entries[child]! >= last) break;
      entries[parent] = entries[child]!;
      parent = child;
    }
    entries[parent] = last;
    return { rank: Math.floor(top / 0x80000000), at: top % 0x80000000 };
  }
}
