import { BytePairEncoder } from './byte-pair-encoder';
import { wordEnd } from './pre-tokenizer';
import type { Vocabulary } from './vocabulary';
import { hashWord, longestCachedWord, WordCache } from './word-cache';

/** Text without added tokens to ids: cut into words, each encoded once and then found in the cache. */
export class ByteLevelEncoder {
  private readonly cache: WordCache | undefined;
  private readonly pairs: BytePairEncoder;

  /** @param cacheWords the most words kept; 0 for none */
  constructor(vocabulary: Vocabulary, cacheWords: number) {
    this.pairs = new BytePairEncoder(vocabulary);
    this.cache = cacheWords >= 2 ? new WordCache(cacheWords) : undefined;
  }

  /** Appends the ids of text[start, end) to `out`. */
  encodeInto(out: number[], text: string, start: number, end: number): void {
    const { cache, pairs } = this;
    for (let at = start; at < end;) {
      const stop = wordEnd(text, at, end);
      if (cache === undefined || stop - at > longestCachedWord) {
        const count = pairs.encode(text, at, stop);
        for (let i = 0; i < count; i++) out.push(pairs.ids[i]!);
      } else {
        const hash = hashWord(text, at, stop);
        if (cache.find(text, at, stop, hash)) {
          const { ids, idEnd } = cache;
          for (let i = cache.idStart; i < idEnd; i++) out.push(ids[i]!);
        } else {
          const count = pairs.encode(text, at, stop);
          cache.add(text, at, stop, hash, pairs.ids, count);
          for (let i = 0; i < count; i++) out.push(pairs.ids[i]!);
        }
      }
      at = stop;
    }
  }
}
