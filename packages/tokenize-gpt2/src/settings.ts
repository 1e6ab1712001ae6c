import type { ReadBudget } from '@qlora-js/read-budget';
import { type AddedToken, readAddedToken } from './added-tokens';
import { readFile, readObject } from './config-file';
import { quote, readBudget, TokenizerError } from './errors';
import { GPT2_PIPELINE, type Pipeline } from './pipeline';

export type Side = 'right' | 'left';

/** Special tokens by role, in transformers' order (PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES). */
export const specialTokenKeys = {
  bosToken: 'bos_token',
  eosToken: 'eos_token',
  unkToken: 'unk_token',
  sepToken: 'sep_token',
  padToken: 'pad_token',
  clsToken: 'cls_token',
  maskToken: 'mask_token',
} as const;

export type SpecialTokenName = keyof typeof specialTokenKeys;
export const specialTokenNames = Object.keys(specialTokenKeys) as SpecialTokenName[];

/** What tokenizer_config.json, special_tokens_map.json and added_tokens.json say together. */
export interface TokenizerSettings {
  specialTokens: Map<SpecialTokenName, AddedToken>;
  /** Special tokens without one of the standard roles. */
  extraSpecialTokens: AddedToken[];
  /** Special tokens named by other keys of the configuration that end in _token. */
  otherNamedTokens: AddedToken[];
  /** Added tokens with the ids declared for them, by ascending id. */
  addedTokens: [number, AddedToken][];
  addPrefixSpace: boolean;
  addBosToken: boolean;
  addEosToken: boolean;
  /** Infinity where the files give no bound. */
  modelMaxLength: number;
  paddingSide: Side;
  truncationSide: Side;
  /** How texts are cut into words, and words into tokens. */
  pipeline: Pipeline;
  /** tokenizer_config.json's other entries, kept for writing it back. */
  otherConfig: Map<string, unknown>;
}

export interface SettingsSource {
  tokenizerConfig?: unknown;
  specialTokensMap?: unknown;
  addedTokens?: unknown;
  pipeline?: Pipeline;
}

/** transformers' LARGE_INTEGER: a model_max_length above it means that there is no bound. */
const largestBound = 1e20;
const endOfText = '<|endoftext|>';
const gpt2Classes = ['GPT2Tokenizer', 'GPT2TokenizerFast'];
const acceptedClasses = [
  ...gpt2Classes,
  ...['PreTrainedTokenizerFast', 'TokenizersBackend', 'Qwen2Tokenizer', 'Qwen2TokenizerFast', 'LlamaTokenizerFast'],
];

/** Keys that this package reads into fields of its own, and writes from them. */
const readKeys = new Set<string>([
  ...Object.values(specialTokenKeys),
  ...['tokenizer_class', 'add_prefix_space', 'add_bos_token', 'add_eos_token', 'model_max_length', 'max_len'],
  ...['padding_side', 'truncation_side', 'added_tokens_decoder', 'additional_special_tokens', 'extra_special_tokens'],
]);

/** Reads and checks the configuration files of a GPT-2 tokenizer. @throws TokenizerError INVALID_CONFIG, UNSUPPORTED */
export function readSettings(source: SettingsSource, budget: ReadBudget = readBudget()): TokenizerSettings {
  const place = 'tokenizer_config.json';
  const config = readFile(source.tokenizerConfig, { place, budget });
  checkClass(config.get('tokenizer_class'), place);
  const className = config.get('tokenizer_class') ?? gpt2Classes[0];
  // transformers' other classes name no special tokens by themselves.
  const isGpt2 = gpt2Classes.some((known) => known === className);
  const declared = readDeclaredTokens(config.get('added_tokens_decoder'), place);
  // As in transformers, special_tokens_map.json counts only where the configuration doesn't list the added tokens.
  const named = new Map(config);
  if (declared === undefined) {
    const map = readFile(source.specialTokensMap, { place: 'special_tokens_map.json', budget });
    for (const [key, value] of map) named.set(key, value);
  }
  const known = new Map(declared?.map(([, token]) => [token.content, token]));
  const special = (value: unknown, where: string): AddedToken => {
    const token = readAddedToken(value, where, true);
    return { ...token, ...known.get(token.content), special: true };
  };
  const specialTokens = new Map<SpecialTokenName, AddedToken>();
  for (const name of specialTokenNames) {
    const key = specialTokenKeys[name];
    const hasDefault = isGpt2 && (name === 'bosToken' || name === 'eosToken' || name === 'unkToken');
    const value = named.has(key) ? named.get(key) : hasDefault ? endOfText : null;
    if (value !== null && value !== undefined) specialTokens.set(name, special(value, `${place}: ${key}`));
  }
  const extraSpecialTokens = readExtraTokens(named, place).map((value) =>
    special(value, `${place}: extra_special_tokens`),
  );
  const otherNamedTokens = [...config]
    .filter(([key, value]) => key.endsWith('_token') && !readKeys.has(key) && typeof value === 'string')
    .map(([key, value]) => special(value, `${place}: ${key}`));
  const contents = new Set([...specialTokens.values(), ...extraSpecialTokens].map((token) => token.content));
  return {
    specialTokens,
    extraSpecialTokens,
    otherNamedTokens,
    addedTokens: declared ?? readLegacyTokens(source.addedTokens, contents, budget),
    addPrefixSpace: readFlag(config, 'add_prefix_space', place),
    addBosToken: readFlag(config, 'add_bos_token', place),
    addEosToken: readFlag(config, 'add_eos_token', place),
    modelMaxLength: readMaxLength(
      config.get('model_max_length') ?? config.get('max_len'),
      `${place}: model_max_length`,
    ),
    paddingSide: checkSide(config.get('padding_side') ?? 'right', `${place}: padding_side`, 'INVALID_CONFIG'),
    truncationSide: checkSide(config.get('truncation_side') ?? 'right', `${place}: truncation_side`, 'INVALID_CONFIG'),
    pipeline: source.pipeline ?? GPT2_PIPELINE,
    otherConfig: new Map([...config].filter(([key]) => !readKeys.has(key))),
  };
}

function checkClass(value: unknown, place: string): void {
  if (value === undefined || value === null) return;
  if (typeof value === 'string' && acceptedClasses.includes(value)) return;
  throw new TokenizerError(
    'UNSUPPORTED',
    `${place}: tokenizer_class is ${quote(value)}; this package reads GPT-2's tokenizers only (${acceptedClasses.join(', ')})`,
    { value },
  );
}

function readFlag(config: Map<string, unknown>, key: string, place: string): boolean {
  const value = config.get(key) ?? false;
  if (typeof value === 'boolean') return value;
  throw new TokenizerError('INVALID_CONFIG', `${place}: ${key} is ${quote(value)}, not true or false`, { value });
}

/** A bound on the length: a whole number from 1, or none at all where it is above transformers' LARGE_INTEGER. */
export function readMaxLength(
  value: unknown,
  place: string,
  code: 'INVALID_CONFIG' | 'INVALID_OPTION' = 'INVALID_CONFIG',
): number {
  if (value === undefined || value === null) return Infinity;
  if (typeof value === 'number' && value > largestBound) return Infinity;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw new TokenizerError(code, `${place} is ${quote(value)}: it must be a whole number from 1`, {
    value,
  });
}

export function checkSide(value: unknown, place: string, code: 'INVALID_CONFIG' | 'INVALID_OPTION'): Side {
  if (value === 'right' || value === 'left') return value;
  throw new TokenizerError(code, `${place} is ${quote(value)}: it must be 'right' or 'left'`, { value });
}

function readDeclaredTokens(value: unknown, place: string): [number, AddedToken][] | undefined {
  if (value === undefined || value === null) return undefined;
  const where = `${place}: added_tokens_decoder`;
  return sortById(
    [...readObject(value, where)].map(([key, token]) => {
      if (!/^\d{1,9}$/.test(key)) {
        throw new TokenizerError('INVALID_CONFIG', `${where} has the id ${quote(key)}, not a whole number`, {
          value: key,
        });
      }
      return [Number(key), readAddedToken(token, `${where}.${key}`, false)];
    }),
  );
}

/** added_tokens.json: id by token, special where the configuration names the token as such. */
function readLegacyTokens(source: unknown, special: ReadonlySet<string>, budget: ReadBudget): [number, AddedToken][] {
  const place = 'added_tokens.json';
  return sortById(
    [...readFile(source, { place, budget })].map(([content, id]) => {
      if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
        throw new TokenizerError('INVALID_CONFIG', `${place} gives ${quote(content)} the id ${quote(id)}`, {
          value: id,
        });
      }
      return [id, readAddedToken(content, place, special.has(content))];
    }),
  );
}

function sortById(tokens: [number, AddedToken][]): [number, AddedToken][] {
  return tokens.sort(([a], [b]) => a - b);
}

function readExtraTokens(named: Map<string, unknown>, place: string): unknown[] {
  const value = named.get('extra_special_tokens') ?? named.get('additional_special_tokens') ?? [];
  if (Array.isArray(value)) return value as unknown[];
  return [...readObject(value, `${place}: extra_special_tokens`).values()];
}
