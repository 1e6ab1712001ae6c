import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { type GgufFile } from './open';
import { type GgufValue } from './header';

/** The vocabulary that a GGUF file carries, and how text is cut (`tokenizer.ggml.*`; docs/gguf.md of ggml). */
export interface GgufTokenizer {
  /** `gpt2` for byte-level BPE, `llama` for SentencePiece, ... */
  readonly model: string;
  /** Which regular expression cuts text before BPE: `smollm`, `llama-bpe`, `qwen2`, ... */
  readonly preTokenizer: string | undefined;
  /** Token of each id. */
  readonly tokens: readonly string[];
  /** Kind of each token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  readonly tokenTypes: readonly number[] | undefined;
  /** Merges by rank, "left right". */
  readonly merges: readonly string[];
  /** SentencePiece's score of each token. */
  readonly scores: readonly number[] | undefined;
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  readonly unknownTokenId: number | undefined;
  readonly paddingTokenId: number | undefined;
  readonly addBosToken: boolean | undefined;
  readonly addEosToken: boolean | undefined;
  readonly addSpacePrefix: boolean | undefined;
  /** Jinja template of a conversation. */
  readonly chatTemplate: string | undefined;
}

/** Reads metadata by key and type; a value of another type is a `HubError` `CORRUPT_FILE` that names the key. */
export class GgufMetadataReader {
  constructor(
    private readonly metadata: ReadonlyMap<string, GgufValue>,
    private readonly place: string,
  ) {}

  text(key: string): string | undefined {
    return this.value(key, 'a text', (value) => typeof value === 'string');
  }

  number(key: string): number | undefined {
    return this.value(key, 'a number', (value) => typeof value === 'number' && Number.isFinite(value));
  }

  /** A whole number above 0, which must be there. */
  count(key: string): number {
    const value = this.value<number>(key, 'a whole number above 0', isCount);
    if (value !== undefined) return value;
    throw new HubError(
      'CORRUPT_FILE',
      `${this.place} lacks ${key} in its metadata: it is no model of its architecture`,
      {
        place: this.place,
        value: key,
      },
    );
  }

  optionalCount(key: string): number | undefined {
    return this.value(key, 'a whole number above 0', isCount);
  }

  flag(key: string): boolean | undefined {
    return this.value(key, 'true or false', (value) => typeof value === 'boolean');
  }

  texts(key: string): readonly string[] | undefined {
    return this.value(key, 'a list of texts', (value) => isListOf(value, 'string'));
  }

  numbers(key: string): readonly number[] | undefined {
    return this.value(key, 'a list of numbers', (value) => isListOf(value, 'number'));
  }

  private value<Type>(key: string, what: string, is: (value: GgufValue) => boolean): Type | undefined {
    const value = this.metadata.get(key);
    if (value === undefined) return undefined;
    if (is(value)) return value as Type;
    throw new HubError('CORRUPT_FILE', `${this.place}: ${key} of its metadata is ${shown(value)}, not ${what}`, {
      place: this.place,
      value,
    });
  }
}

function isCount(value: GgufValue): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isListOf(value: GgufValue, type: 'string' | 'number'): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}

/** The vocabulary of a file. Throws `HubError` `NOT_FOUND` where it has none. */
export function ggufTokenizer(file: GgufFile): GgufTokenizer {
  const read = new GgufMetadataReader(file.metadata, file.name);
  const model = read.text('tokenizer.ggml.model');
  const tokens = read.texts('tokenizer.ggml.tokens');
  if (model === undefined || tokens === undefined) {
    throw new HubError('NOT_FOUND', `${file.name} carries no vocabulary: give the tokenizer's own files`, {
      place: file.name,
    });
  }
  const tokenTypes = read.numbers('tokenizer.ggml.token_type');
  const scores = read.numbers('tokenizer.ggml.scores');
  for (const [name, list] of Object.entries({ token_type: tokenTypes, scores })) {
    if (list === undefined || list.length === tokens.length) continue;
    throw new HubError(
      'CORRUPT_FILE',
      `${file.name}: tokenizer.ggml.${name} has ${list.length} entries for ${tokens.length} tokens`,
      {
        place: file.name,
        value: list.length,
      },
    );
  }
  return {
    model,
    preTokenizer: read.text('tokenizer.ggml.pre'),
    tokens,
    tokenTypes,
    merges: read.texts('tokenizer.ggml.merges') ?? [],
    scores,
    bosTokenId: read.number('tokenizer.ggml.bos_token_id'),
    eosTokenId: read.number('tokenizer.ggml.eos_token_id'),
    unknownTokenId: read.number('tokenizer.ggml.unknown_token_id'),
    paddingTokenId: read.number('tokenizer.ggml.padding_token_id'),
    addBosToken: read.flag('tokenizer.ggml.add_bos_token'),
    addEosToken: read.flag('tokenizer.ggml.add_eos_token'),
    addSpacePrefix: read.flag('tokenizer.ggml.add_space_prefix'),
    chatTemplate: read.text('tokenizer.chat_template'),
  };
}
