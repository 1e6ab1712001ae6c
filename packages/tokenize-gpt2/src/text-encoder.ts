import { BytePairEncoder } from './byte-pair-encoder';
import { tokenOfText } from './byte-alphabet';
import type { Pipeline, WordPattern } from './pipeline';
import { llama3WordEnd, qwen2WordEnd, smollmWordEnd, wordEnd } from './pre-tokenizer';
import type { Vocabulary } from './vocabulary';
import { hashWord, longestCachedWord, WordCache } from './word-cache';

type WordEnd = (text: string, at: number, limit: number) => number;

const WORD_ENDS: Readonly<Record<WordPattern, WordEnd>> = {
  gpt2: wordEnd,
  smollm: smollmWordEnd,
  llama3: llama3WordEnd,
  qwen2: qwen2WordEnd,
};

/** Text without added tokens to ids: cut into words, each encoded once and then found in the cache. */
export class ByteLevelEncoder {
  private readonly cache: WordCache | undefined;
  private readonly pairs: BytePairEncoder;
  private readonly wordEnd: WordEnd;

  /** @param cacheWords the most words kept; 0 for none */
  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly pipeline: Pipeline,
    cacheWords: number,
  ) {
    this.wordEnd = WORD_ENDS[pipeline.words];
    this.pairs = new BytePairEncoder(vocabulary);
    this.cache = cacheWords >= 2 ? new WordCache(cacheWords) : undefined;
  }

  /** Appends the ids of text[start, end) to `out`. */
  encodeInto(out: number[], text: string, start: number, end: number): void {
    if (this.pipeline.composed) {
      const composed = text.slice(start, end).normalize('NFC');
      this.encodeWords(out, composed, 0, composed.length);
    } else this.encodeWords(out, text, start, end);
  }

  private encodeWords(out: number[], text: string, start: number, end: number): void {
    const { cache, pairs, wordEnd } = this;
    for (let at = start; at < end;) {
      const stop = wordEnd(text, at, end);
      if (cache === undefined || stop - at > longestCachedWord) {
        const count = this.encodeWord(text, at, stop);
        for (let i = 0; i < count; i++) out.push(pairs.ids[i]!);
      } else {
        const hash = hashWord(text, at, stop);
        if (cache.find(text, at, stop, hash)) {
          const { ids, idEnd } = cache;
          for (let i = cache.idStart; i < idEnd; i++) out.push(ids[i]!);
        } else {
          const count = this.encodeWord(text, at, stop);
          cache.add(text, at, stop, hash, pairs.ids, count);
          for (let i = 0; i < count; i++) out.push(pairs.ids[i]!);
        }
      }
      at = stop;
    }
  }

  /** Ids of a word into `pairs.ids`; how many there are. */
  private encodeWord(text: string, at: number, stop: number): number {
    if (this.pipeline.ignoreMerges) {
      const whole = this.vocabulary.idOfToken.get(tokenOfText(text.slice(at, stop)));
      if (whole !== undefined) {
        this.pairs.ids[0] = whole;
        return 1;
      }
    }
    return this.pairs.encode(text, at, stop);
  }
}
