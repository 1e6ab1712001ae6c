import { checkedInteger, MetricsError, shown } from '../errors';
import { type SparseRows, sparseRows } from './sparse-rows';

export interface BagOfWordsOptions {
  /** Shortest and longest word sequence that is a feature. Default [1, 1]: words alone; [1, 2] adds pairs. */
  ngramRange?: readonly [number, number];
  /** A feature is kept where at least this many training texts have it. Default 1. */
  minDocumentFrequency?: number;
}

/** Two or more letters, digits or underscores: the token_pattern of sklearn's CountVectorizer, on lower-cased text. */
const WORD = /[\p{L}\p{N}_]{2,}/gu;

/**
 * Counts of words and word sequences; sklearn.feature_extraction.text.CountVectorizer with its defaults. Only training
 * texts make features: what appears in test texts alone is not counted, as it would be in use.
 */
export class BagOfWords {
  private readonly features: ReadonlyMap<string, number>;
  private readonly ngramRange: readonly [number, number];

  /** @throws MetricsError EMPTY where no feature is left, INVALID_OPTION */
  constructor(
    trainTexts: readonly string[],
    { ngramRange = [1, 1], minDocumentFrequency = 1 }: BagOfWordsOptions = {},
  ) {
    checkedInteger('ngramRange[0]', ngramRange[0], 1);
    checkedInteger('ngramRange[1]', ngramRange[1], ngramRange[0]);
    checkedInteger('minDocumentFrequency', minDocumentFrequency, 1);
    this.ngramRange = ngramRange;
    const documentFrequency = new Map<string, number>();
    trainTexts.forEach((text, i) => {
      for (const term of new Set(this.terms(text, i)))
        documentFrequency.set(term, (documentFrequency.get(term) ?? 0) + 1);
    });
    const kept = [...documentFrequency].filter(([, texts]) => texts >= minDocumentFrequency);
    if (kept.length === 0) {
      const message = `No word of two or more letters occurs in ${minDocumentFrequency} of the ${trainTexts.length} training texts.`;
      throw new MetricsError('EMPTY', message, { value: trainTexts.length });
    }
    this.features = new Map(kept.map(([term], feature) => [term, feature]));
  }

  get size(): number {
    return this.features.size;
  }

  /** One row of counts a text. */
  count(texts: readonly string[]): SparseRows {
    const entries = texts.map((text, i) => {
      const counts = new Map<number, number>();
      for (const term of this.terms(text, i)) {
        const feature = this.features.get(term);
        if (feature !== undefined) counts.set(feature, (counts.get(feature) ?? 0) + 1);
      }
      return counts;
    });
    return sparseRows(entries, this.size);
  }

  private *terms(text: unknown, position: number): Generator<string> {
    if (typeof text !== 'string') {
      throw new MetricsError('INVALID_OPTION', `Text ${position} is ${shown(text)}: texts are strings.`, {
        value: text,
      });
    }
    const words = text.toLowerCase().match(WORD) ?? [];
    const [shortest, longest] = this.ngramRange;
    for (let length = shortest; length <= longest; length++) {
      for (let from = 0; from + length <= words.length; from++) yield words.slice(from, from + length).join(' ');
    }
  }
}
