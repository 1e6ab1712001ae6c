/** Longer words are rare and seldom come back; they are encoded each time. */
export const longestCachedWord = 64;

/** FNV-1a over the UTF-16 code units of text[start, end). */
export function hashWord(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

/** Words and their ids, all in flat arrays: finding one makes no string and no object. Filled up, then cleared. */
class Generation {
  ids: Int32Array;
  count = 0;
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly hashes: Int32Array;
  /** Ends of each entry's characters and ids; the starts are the ends of the entry before. */
  private readonly characterEnds: Int32Array;
  private readonly idEnds: Int32Array;
  private characters: Uint16Array;

  constructor(readonly capacity: number) {
    let slotCount = 16;
    while (slotCount < capacity * 2) slotCount *= 2;
    this.slots = new Int32Array(slotCount);
    this.mask = slotCount - 1;
    this.hashes = new Int32Array(capacity + 1);
    this.characterEnds = new Int32Array(capacity + 1);
    this.idEnds = new Int32Array(capacity + 1);
    this.characters = new Uint16Array(capacity * 8);
    this.ids = new Int32Array(capacity * 2);
  }

  /** Entry of the word (1 and up), or 0. */
  find(text: string, start: number, end: number, hash: number): number {
    const { slots, mask, hashes, characterEnds, characters } = this;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!;
      if (entry === 0) return 0;
      if (hashes[entry] !== hash) continue;
      const first = characterEnds[entry - 1]!;
      const length = end - start;
      if (characterEnds[entry]! - first !== length) continue;
      let same = 0;
      while (same < length && characters[first + same] === text.charCodeAt(start + same)) same++;
      if (same === length) return entry;
    }
  }

  idStart(entry: number): number {
    return this.idEnds[entry - 1]!;
  }

  idEnd(entry: number): number {
    return this.idEnds[entry]!;
  }

  add(text: string, start: number, end: number, hash: number, ids: Int32Array, idStart: number, idEnd: number): void {
    const entry = ++this.count;
    const firstCharacter = this.characterEnds[entry - 1]!;
    const firstId = this.idEnds[entry - 1]!;
    if (firstCharacter + end - start > this.characters.length) {
      const longer = new Uint16Array(this.characters.length * 2 + end - start);
      longer.set(this.characters);
      this.characters = longer;
    }
    if (firstId + idEnd - idStart > this.ids.length) {
      const longer = new Int32Array(this.ids.length * 2 + idEnd - idStart);
      longer.set(this.ids);
      this.ids = longer;
    }
    for (let at = start; at < end; at++) this.characters[firstCharacter + at - start] = text.charCodeAt(at);
    for (let at = idStart; at < idEnd; at++) this.ids[firstId + at - idStart] = ids[at]!;
    this.hashes[entry] = hash;
    this.characterEnds[entry] = firstCharacter + end - start;
    this.idEnds[entry] = firstId + idEnd - idStart;
    let slot = hash & this.mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = entry;
  }

  clear(): void {
    this.slots.fill(0);
    this.count = 0;
  }
}

/**
 * Ids of words seen lately, bounded: new words go to a young generation; when that is full it becomes the old one and
 * the former old one is dropped. A word found in the old generation is copied to the young, so words in use stay.
 */
export class WordCache {
  /** Where the ids of the word found last lie: ids[idStart, idEnd). */
  ids: Int32Array = new Int32Array(0);
  idStart = 0;
  idEnd = 0;
  private young: Generation;
  private old: Generation | undefined;

  /** @param capacity the most words held, at least 2 */
  constructor(capacity: number) {
    this.young = new Generation(Math.max(1, capacity >> 1));
  }

  /** Looks text[start, end) up by its hash; if it is there, `ids`, `idStart` and `idEnd` say what it encodes to. */
  find(text: string, start: number, end: number, hash: number): boolean {
    let generation = this.young;
    let entry = generation.find(text, start, end, hash);
    if (entry === 0) {
      if (this.old === undefined) return false;
      generation = this.old;
      entry = generation.find(text, start, end, hash);
      if (entry === 0) return false;
      const { ids } = generation;
      const first = generation.idStart(entry);
      const last = generation.idEnd(entry);
      this.ids = ids;
      this.idStart = first;
      this.idEnd = last;
      // Not when that would drop the generation the ids just found lie in.
      if (this.young.count < this.young.capacity) this.young.add(text, start, end, hash, ids, first, last);
      return true;
    }
    this.ids = generation.ids;
    this.idStart = generation.idStart(entry);
    this.idEnd = generation.idEnd(entry);
    return true;
  }

  /** Enters a word that `find` did not find. */
  add(text: string, start: number, end: number, hash: number, ids: Int32Array, count: number): void {
    if (this.young.count === this.young.capacity) {
      const free = this.old ?? new Generation(this.young.capacity);
      free.clear();
      this.old = this.young;
      this.young = free;
    }
    this.young.add(text, start, end, hash, ids, 0, count);
  }

  /** Words held now. */
  get size(): number {
    return this.young.count + (this.old?.count ?? 0);
  }
}
