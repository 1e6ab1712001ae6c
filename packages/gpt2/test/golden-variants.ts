import { goldenJson } from '../../../tools/test/golden';

/** What tools/python/golden/variants.py recorded. */
export interface GoldenVariants {
  /** Of the formula that the weights come from. */
  readonly seed: number;
  readonly texts: readonly (readonly number[])[];
  /** Hidden states of the real tokens of the default variant, padded on the left. */
  readonly leftPadded: readonly number[];
  readonly variants: readonly {
    readonly name: string;
    readonly config: Readonly<Record<string, unknown>>;
    /** Hidden states of the real tokens, padded on the right. */
    readonly hidden: readonly number[];
    /** Logits after the first text. */
    readonly lastLogits: readonly number[];
    readonly loss: number;
    readonly gradientNorms: Readonly<Record<string, number>>;
    readonly lnFGradient: readonly number[];
  }[];
  readonly generations: readonly {
    readonly options: { readonly repetition_penalty?: number; readonly eos_token_id?: number };
    readonly tokens: readonly (readonly number[])[];
  }[];
  readonly draws: {
    readonly logits: readonly number[];
    readonly cases: readonly {
      readonly temperature: number;
      readonly topK: number;
      readonly topP: number;
      readonly probabilities: readonly number[];
    }[];
  };
}

export const goldenVariants: GoldenVariants = goldenJson('gpt2-variants.json');

/** Texts padded to the longest, as a collator does it. */
export function padTexts(
  texts: readonly (readonly number[])[],
  side: 'left' | 'right',
  pad: number,
): { inputIds: number[]; attentionMask: number[]; batchSize: number; length: number } {
  const length = Math.max(...texts.map((text) => text.length));
  const place = (text: readonly number[], filling: readonly number[]) =>
    side === 'left' ? [...filling, ...text] : [...text, ...filling];
  const filled = (text: readonly number[], value: number) => new Array<number>(length - text.length).fill(value);
  return {
    inputIds: texts.flatMap((text) => place(text, filled(text, pad))),
    attentionMask: texts.flatMap((text) =>
      place(
        text.map(() => 1),
        filled(text, 0),
      ),
    ),
    batchSize: texts.length,
    length,
  };
}
