import { type ReadBudget } from '@qlora-js/read-budget';
import { type AddedToken, readAddedToken } from './added-tokens';
import { readFile, readObject } from './config-file';
import { quote, TokenizerError } from './errors';
import { readPipeline } from './pipeline';
import { checkSide, type TokenizerSettings } from './settings';
import { readVocabulary, type Vocabulary } from './vocabulary';

const place = 'tokenizer.json';

/**
 * Reads tokenizer.json, the only vocabulary file that transformers 5 writes. It can describe any pipeline of the
 * tokenizers library; one that isn't GPT-2's is an error here.
 *
 * @param settings of the other files; the added tokens and the special tokens around a text come from here
 * @throws TokenizerError UNSUPPORTED, INVALID_VOCABULARY, INVALID_MERGES, INVALID_CONFIG
 */
export function readTokenizerJson(
  source: string,
  settings: TokenizerSettings,
  budget: ReadBudget,
): { vocabulary: Vocabulary; settings: TokenizerSettings } {
  const file = readFile(source, { place, budget });
  const model = readObject(file.get('model'), `${place}: model`);
  expect(model, 'model', { type: ['BPE', undefined], dropout: [null, undefined, 0], unk_token: [null, undefined] });
  expect(model, 'model', {
    continuing_subword_prefix: ['', null, undefined],
    end_of_word_suffix: ['', null, undefined],
    byte_fallback: [false, undefined],
  });
  const pipeline = readPipeline(file);
  const decoder = readObject(file.get('decoder'), `${place}: decoder`);
  expect(decoder, 'decoder', { type: ['ByteLevel'] });
  const vocabulary = readVocabulary(
    {
      vocab: model.get('vocab'),
      merges: model.get('merges'),
      vocabName: `${place}: model.vocab`,
      mergesName: `${place}: model.merges`,
      lacksBytes: pipeline.words !== 'gpt2',
    },
    budget,
  );
  const addedTokens = readTokens(file.get('added_tokens'));
  const flags = new Map(addedTokens.map(([, token]) => [token.content, token]));
  const specialTokens = new Map(
    [...settings.specialTokens].map(([name, token]) => [
      name,
      { ...token, ...flags.get(token.content), special: true },
    ]),
  );
  const padding = readObject(file.get('padding'), `${place}: padding`);
  const padToken = padding.get('pad_token');
  if (padToken !== undefined && !specialTokens.has('padToken')) {
    specialTokens.set('padToken', readAddedToken(padToken, `${place}: padding.pad_token`, true));
  }
  const direction = padding.get('direction');
  return {
    vocabulary,
    settings: {
      ...settings,
      ...readSurroundings(file.get('post_processor'), settings),
      pipeline,
      specialTokens,
      addedTokens: mergeTokens(addedTokens, settings.addedTokens),
      // "Right" and "Left" in this file.
      ...(typeof direction === 'string' && !settings.otherConfig.has('padding_side')
        ? { paddingSide: checkSide(direction.toLowerCase(), `${place}: padding.direction`, 'INVALID_CONFIG') }
        : {}),
    },
  };
}

function expect(
  object: Map<string, unknown>,
  name: string | undefined,
  accepted: Record<string, readonly unknown[]>,
): void {
  for (const [key, values] of Object.entries(accepted)) {
    const value = object.get(key);
    if (values.includes(value)) continue;
    const path = name === undefined ? key : `${name}.${key}`;
    throw new TokenizerError(
      'UNSUPPORTED',
      `${place}: ${path} is ${quote(value)}, and GPT-2's is ${values.map(quote).join(' or ')}: this file is of another ` +
        'kind of tokenizer, which this package does not read',
      { value },
    );
  }
}

function readTokens(value: unknown): [number, AddedToken][] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    throw new TokenizerError('INVALID_CONFIG', `${place}: added_tokens is ${quote(value)}, not a list`, { value });
  }
  return (value as unknown[])
    .map((entry, index): [number, AddedToken] => {
      const where = `${place}: added_tokens[${index}]`;
      const id = readObject(entry, where).get('id');
      if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
        throw new TokenizerError('INVALID_CONFIG', `${where}.id is ${quote(id)}, not a whole number`, { value: id });
      }
      return [id, readAddedToken(entry, where, false)];
    })
    .sort(([a], [b]) => a - b);
}

/** Both lists by id; what tokenizer_config.json declares again takes its flags. */
function mergeTokens(tokens: [number, AddedToken][], declared: [number, AddedToken][]): [number, AddedToken][] {
  return [...new Map([...tokens, ...declared])].sort(([a], [b]) => a - b);
}

/** Whether the post-processor puts a bos token before and an eos token after the text. */
function readSurroundings(
  value: unknown,
  settings: TokenizerSettings,
): Pick<TokenizerSettings, 'addBosToken' | 'addEosToken'> {
  const none = { addBosToken: false, addEosToken: false };
  if (value === undefined || value === null) return none;
  const where = `${place}: post_processor`;
  const processor = templateOf(readObject(value, where));
  if (processor.get('type') === 'ByteLevel') return none;
  expect(processor, 'post_processor', { type: ['TemplateProcessing'] });
  const single: unknown = processor.get('single');
  const parts = (Array.isArray(single) ? (single as unknown[]) : []).map((part, index) => {
    const entry = readObject(part, `${where}.single[${index}]`);
    if (entry.has('Sequence')) return 'text';
    return readObject(entry.get('SpecialToken'), `${where}.single[${index}].SpecialToken`).get('id');
  });
  const text = parts.indexOf('text');
  const bos = settings.specialTokens.get('bosToken')?.content;
  const eos = settings.specialTokens.get('eosToken')?.content;
  const before = text === 0 || (text === 1 && parts[0] === bos);
  const after = text === parts.length - 1 || (text === parts.length - 2 && parts[text + 1] === eos);
  if (text >= 0 && before && after) return { addBosToken: text === 1, addEosToken: text < parts.length - 1 };
  throw new TokenizerError(
    'UNSUPPORTED',
    `${where}.single puts ${quote(parts)} together; this package knows the text with bos before and eos after it`,
    { value: single },
  );
}

/** Of a sequence of processors the one that puts tokens around a text; the others shape offsets alone. */
function templateOf(processor: Map<string, unknown>): Map<string, unknown> {
  const steps = processor.get('processors');
  if (processor.get('type') !== 'Sequence' || !Array.isArray(steps)) return processor;
  const others = (steps as unknown[])
    .map((step) => readObject(step, `${place}: post_processor`))
    .filter((step) => step.get('type') !== 'ByteLevel');
  return others.length === 1 ? others[0]! : processor;
}
