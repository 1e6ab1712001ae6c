import { type AddedToken, addedTokenFields, type AddedTokens } from './added-tokens';
import { pipelineFields } from './pipeline';
import { specialTokenKeys, type TokenizerSettings } from './settings';
import type { Vocabulary } from './vocabulary';

/** Python's int(1e30), what transformers writes for "no bound". */
const noBound = '1000000000000000019884624838656';

/**
 * The files transformers reads and (up to release 4) writes for a GPT2Tokenizer, by name: vocab.json, merges.txt,
 * tokenizer_config.json, special_tokens_map.json, and added_tokens.json where tokens were added beyond the vocabulary. Words
 * cut in another way stand in tokenizer.json alone, which then holds vocabulary, merges and added tokens too.
 */
export function tokenizerFiles(
  vocabulary: Vocabulary,
  settings: TokenizerSettings,
  addedTokens: AddedTokens,
): Record<string, string> {
  if (settings.pipeline.words !== 'gpt2') {
    return {
      'tokenizer.json': tokenizerJson(vocabulary, settings, addedTokens),
      'tokenizer_config.json': configFile(settings, addedTokens),
      'special_tokens_map.json': specialTokensFile(settings),
    };
  }
  const files: Record<string, string> = {
    'vocab.json': vocabularyFile(vocabulary.tokens),
    'merges.txt': ['#version: 0.2', ...vocabulary.merges, ''].join('\n'),
    'tokenizer_config.json': configFile(settings, addedTokens),
    'special_tokens_map.json': specialTokensFile(settings),
  };
  const beyond = addedTokens.entries().filter(([id]) => id >= vocabulary.tokens.length);
  if (beyond.length > 0) {
    files['added_tokens.json'] = sortedJson(new Map(beyond.map(([id, token]) => [token.content, id])));
  }
  return files;
}

/** What the tokenizers library writes of the same pipeline. */
function tokenizerJson(vocabulary: Vocabulary, settings: TokenizerSettings, addedTokens: AddedTokens): string {
  const { pipeline } = settings;
  const file = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens.entries().map(([id, token]) => ({ id, ...addedTokenFields(token) })),
    ...pipelineFields(pipeline),
    post_processor: postProcessor(settings, addedTokens),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pipeline.ignoreMerges,
      vocab: VOCABULARY_PLACE,
      merges: vocabulary.merges.map((merge) => merge.split(' ')),
    },
  };
  return JSON.stringify(file).replace(JSON.stringify(VOCABULARY_PLACE), () => vocabularyFile(vocabulary.tokens));
}

/** Stands where the vocabulary goes; no token of it can have come before. */
const VOCABULARY_PLACE = '\0vocabulary';

/** The bos token before and the eos token after a text, where the settings ask for them. */
function postProcessor(
  { specialTokens, addBosToken, addEosToken }: TokenizerSettings,
  addedTokens: AddedTokens,
): object | null {
  const of = (wanted: boolean, name: 'bosToken' | 'eosToken'): string[] => {
    const token = specialTokens.get(name)?.content;
    return wanted && token !== undefined ? [token] : [];
  };
  const [before, after] = [of(addBosToken, 'bosToken'), of(addEosToken, 'eosToken')];
  if (before.length + after.length === 0) return null;
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const around = (id: string, type: number) => [
    ...before.map((token) => special(token, type)),
    sequence(id, type),
    ...after.map((token) => special(token, type)),
  ];
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(
      [...before, ...after].map((id) => [id, { id, ids: [addedTokens.idOf(id)], tokens: [id] }]),
    ),
  };
}

/** In the order of the ids, which an object would not keep: its keys that are numbers come first. */
function vocabularyFile(tokens: readonly string[]): string {
  return `{${tokens.map((token, id) => `${JSON.stringify(token)}:${id}`).join(',')}}`;
}

function configFile(settings: TokenizerSettings, addedTokens: AddedTokens): string {
  const config = new Map(settings.otherConfig);
  for (const [name, key] of Object.entries(specialTokenKeys)) {
    const token = settings.specialTokens.get(name as keyof typeof specialTokenKeys);
    if (token !== undefined) config.set(key, token.content);
    // Without the key a reader takes GPT-2's default, so "none" has to be said.
    else if (['bos_token', 'eos_token', 'unk_token', 'pad_token'].includes(key)) config.set(key, null);
  }
  const extra = settings.extraSpecialTokens.map((token) => token.content);
  if (extra.length > 0) config.set('additional_special_tokens', extra);
  config.set(
    'added_tokens_decoder',
    Object.fromEntries(addedTokens.entries().map(([id, token]) => [id, addedTokenFields(token)])),
  );
  config.set('add_prefix_space', settings.addPrefixSpace);
  config.set('add_bos_token', settings.addBosToken);
  if (settings.addEosToken) config.set('add_eos_token', true);
  config.set('model_max_length', settings.modelMaxLength === Infinity ? noBound : settings.modelMaxLength);
  if (settings.paddingSide !== 'right') config.set('padding_side', settings.paddingSide);
  if (settings.truncationSide !== 'right') config.set('truncation_side', settings.truncationSide);
  config.set('tokenizer_class', settings.pipeline.words === 'gpt2' ? 'GPT2Tokenizer' : 'PreTrainedTokenizerFast');
  // JSON.stringify has no integers this large: written as text, then taken out of its quotes.
  return sortedJson(config).replace(`"model_max_length": "${noBound}"`, `"model_max_length": ${noBound}`);
}

function specialTokensFile(settings: TokenizerSettings): string {
  const fields = (token: AddedToken): unknown => {
    const { special: _special, ...rest } = addedTokenFields(token);
    return token.singleWord || token.lstrip || token.rstrip || token.normalized ? rest : token.content;
  };
  const map = new Map<string, unknown>();
  for (const [name, token] of settings.specialTokens) map.set(specialTokenKeys[name], fields(token));
  if (settings.extraSpecialTokens.length > 0) {
    map.set('additional_special_tokens', settings.extraSpecialTokens.map(fields));
  }
  return sortedJson(map);
}

/** As Python's json.dumps(…, indent=2, sort_keys=True, ensure_ascii=False) with a line end. */
function sortedJson(entries: ReadonlyMap<string, unknown>): string {
  const sorted = Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  return `${JSON.stringify(sorted, null, 2)}\n`;
}
