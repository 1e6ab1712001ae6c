import { readObject } from './config-file';
import { quote, TokenizerError } from './errors';

/** How a text is cut into the words that merges never cross. */
export type WordPattern = 'gpt2' | 'smollm' | 'llama3' | 'qwen2';

/** What byte-level tokenizers differ in besides their vocabulary. */
export interface Pipeline {
  readonly words: WordPattern;
  /** Text is brought into Unicode's composed form first (Qwen2). */
  readonly composed: boolean;
  /** A word that is a token is that token, whatever the merges would make of it (Llama 3). */
  readonly ignoreMerges: boolean;
}

export const GPT2_PIPELINE: Pipeline = { words: 'gpt2', composed: false, ignoreMerges: false };

/** The regular expression of OpenAI's cl100k, with numbers of so many digits. */
const regexOf = (digits: string): string =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const byteLevel = (regex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});
const split = (regex: string) => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false });

/** The steps before `ByteLevel` of each pattern, and whether that step has GPT-2's expression itself. */
const STEPS: Readonly<Record<WordPattern, readonly object[]>> = {
  gpt2: [byteLevel(true)],
  smollm: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
  llama3: [split(regexOf('{1,3}')), byteLevel(false)],
  qwen2: [split(regexOf('')), byteLevel(false)],
};

const place = 'tokenizer.json';

/** What tokenizer.json says of its normalizer, pre-tokenizer and model. @throws TokenizerError UNSUPPORTED for any other */
export function readPipeline(file: ReadonlyMap<string, unknown>): Pipeline {
  const normalizer = readObject(file.get('normalizer'), `${place}: normalizer`).get('type');
  if (normalizer !== undefined && normalizer !== 'NFC') {
    throw unsupported(`normalizer.type is ${quote(normalizer)}; none and NFC are known`, normalizer);
  }
  const ignoreMerges = readObject(file.get('model'), `${place}: model`).get('ignore_merges') ?? false;
  if (typeof ignoreMerges !== 'boolean')
    throw unsupported(`model.ignore_merges is ${quote(ignoreMerges)}`, ignoreMerges);
  return { words: wordsOf(file.get('pre_tokenizer')), composed: normalizer === 'NFC', ignoreMerges };
}

function wordsOf(value: unknown): WordPattern {
  const preTokenizer = readObject(value, `${place}: pre_tokenizer`);
  const steps = preTokenizer.get('type') === 'Sequence' ? preTokenizer.get('pretokenizers') : [value];
  if (Array.isArray(steps)) {
    const given = (steps as unknown[]).map((step) => readObject(step, `${place}: pre_tokenizer`));
    for (const [words, known] of Object.entries(STEPS)) {
      if (given.length === known.length && given.every((step, i) => isStep(step, known[i]!)))
        return words as WordPattern;
    }
  }
  throw unsupported(
    `pre_tokenizer is ${quote(value)}; GPT-2's, SmolLM's, Llama 3's and Qwen2's are known`,
    preTokenizer.get('type'),
  );
}

/** Keys that only shape offsets, or that a text's own option says. */
const FREE_KEYS = new Set(['add_prefix_space', 'trim_offsets']);

function isStep(given: ReadonlyMap<string, unknown>, known: object): boolean {
  return Object.entries(known).every(([key, value]) => {
    // Older files leave use_regex out, which is true.
    const found = key === 'use_regex' ? (given.get(key) ?? true) : given.get(key);
    return FREE_KEYS.has(key) || JSON.stringify(found) === JSON.stringify(value);
  });
}

function unsupported(problem: string, value: unknown): TokenizerError {
  return new TokenizerError(
    'UNSUPPORTED',
    `${place}: ${problem}: this file is of another kind of tokenizer, which this package does not read`,
    { value },
  );
}

/** The pipeline as tokenizer.json has it. */
export function pipelineFields({ words, composed }: Pipeline): { normalizer: object | null; pre_tokenizer: object } {
  const steps = STEPS[words];
  return {
    normalizer: composed ? { type: 'NFC' } : null,
    pre_tokenizer: steps.length === 1 ? steps[0]! : { type: 'Sequence', pretokenizers: steps },
  };
}
