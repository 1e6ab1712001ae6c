import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenizerError } from './errors';
import { readSettings, type SettingsSource } from './settings';

function errorOf(source: SettingsSource): TokenizerError {
  try {
    readSettings(source);
  } catch (error) {
    if (error instanceof TokenizerError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

const contents = (source: SettingsSource): Record<string, string> =>
  Object.fromEntries([...readSettings(source).specialTokens].map(([name, token]) => [name, token.content]));

describe('readSettings', () => {
  it("has GPT-2's defaults where no file says otherwise", () => {
    expect(contents({})).toEqual({ bosToken: '<|endoftext|>', eosToken: '<|endoftext|>', unkToken: '<|endoftext|>' });
    expect(readSettings({})).toMatchObject({
      addPrefixSpace: false,
      addBosToken: false,
      modelMaxLength: Infinity,
      paddingSide: 'right',
    });
  });

  it('reads plain tokens, tokens with flags, and null as none', () => {
    const token = {
      __type: 'AddedToken',
      content: '<e>',
      lstrip: true,
      normalized: true,
      rstrip: false,
      single_word: false,
    };
    const settings = readSettings({ tokenizerConfig: { eos_token: token, pad_token: '[PAD]', bos_token: null } });
    expect([...settings.specialTokens.keys()]).toEqual(['eosToken', 'unkToken', 'padToken']);
    expect(settings.specialTokens.get('eosToken')).toEqual({
      content: '<e>',
      lstrip: true,
      normalized: true,
      rstrip: false,
      singleWord: false,
      special: true,
    });
    expect(settings.specialTokens.get('padToken')).toMatchObject({
      content: '[PAD]',
      normalized: false,
      special: true,
    });
  });

  it('lets special_tokens_map.json override, unless the configuration lists the added tokens', () => {
    const specialTokensMap = JSON.stringify({ eos_token: '<m>' });
    expect(contents({ tokenizerConfig: { eos_token: '<c>' }, specialTokensMap })['eosToken']).toBe('<m>');
    const decoder = { '3': { content: '<c>', normalized: true, lstrip: true } };
    const settings = readSettings({
      tokenizerConfig: { eos_token: '<c>', added_tokens_decoder: decoder },
      specialTokensMap,
    });
    expect(settings.specialTokens.get('eosToken')).toMatchObject({
      content: '<c>',
      lstrip: true,
      normalized: true,
      special: true,
    });
  });

  it('reads added_tokens.json, special where the configuration names the token', () => {
    const settings = readSettings({ tokenizerConfig: { pad_token: '[PAD]' }, addedTokens: '{"tag": 11, "[PAD]": 10}' });
    expect(
      settings.addedTokens.map(([id, { content, special, normalized }]) => [id, content, special, normalized]),
    ).toEqual([
      [10, '[PAD]', true, false],
      [11, 'tag', false, true],
    ]);
  });

  it('reads extra special tokens under the old key and the new, as list or by name', () => {
    const extra = (config: Record<string, unknown>): string[] =>
      readSettings({ tokenizerConfig: config }).extraSpecialTokens.map((token) => token.content);
    expect(extra({ additional_special_tokens: ['<a>', { content: '<b>' }] })).toEqual(['<a>', '<b>']);
    expect(extra({ extra_special_tokens: { image: '<i>' } })).toEqual(['<i>']);
    expect(
      readSettings({ tokenizerConfig: { image_token: '<i>' } }).otherNamedTokens.map((token) => token.content),
    ).toEqual(['<i>']);
  });

  it('keeps what it does not read, and takes a huge length for no bound', () => {
    const settings = readSettings({
      tokenizerConfig: { errors: 'replace', model_max_length: 1e30, chat_template: 'x' },
    });
    expect([...settings.otherConfig]).toEqual([
      ['errors', 'replace'],
      ['chat_template', 'x'],
    ]);
    expect(settings.modelMaxLength).toBe(Infinity);
    expect(readSettings({ tokenizerConfig: '{"max_len": 1024}' }).modelMaxLength).toBe(1024);
  });

  it.each<[string, SettingsSource, RegExp]>([
    ['text that is no JSON', { tokenizerConfig: '{' }, /tokenizer_config\.json is not JSON/],
    ['a list', { specialTokensMap: [] }, /special_tokens_map\.json must be an object, not \[\]/],
    [
      'another tokenizer',
      { tokenizerConfig: { tokenizer_class: 'BertTokenizer' } },
      /tokenizer_class is "BertTokenizer".*GPT2Tokenizer/,
    ],
    [
      'a flag that is text',
      { tokenizerConfig: { add_prefix_space: 'no' } },
      /add_prefix_space is "no", not true or false/,
    ],
    ['a length of zero', { tokenizerConfig: { model_max_length: 0 } }, /model_max_length is 0/],
    ['a length that is text', { tokenizerConfig: { model_max_length: '256' } }, /model_max_length is "256"/],
    ['an unknown side', { tokenizerConfig: { padding_side: 'top' } }, /padding_side is "top"/],
    ['a token that is a number', { tokenizerConfig: { eos_token: 5 } }, /eos_token is 5/],
    ['a token without content', { tokenizerConfig: { eos_token: {} } }, /eos_token has the content undefined/],
    [
      'a token flag that is a number',
      { tokenizerConfig: { eos_token: { content: 'x', lstrip: 1 } } },
      /eos_token\.lstrip is 1/,
    ],
    ['an id that is no number', { tokenizerConfig: { added_tokens_decoder: { one: 'x' } } }, /has the id "one"/],
    ['an added id that is text', { addedTokens: { x: '1' } }, /added_tokens\.json gives "x" the id "1"/],
  ])('names what is wrong with %s', (_, source, message) => {
    expect(errorOf(source).message).toMatch(message);
  });

  it('throws TokenizerError and nothing else, whatever the files hold', () => {
    const keys = fc.constantFrom(
      'eos_token',
      'added_tokens_decoder',
      'extra_special_tokens',
      'model_max_length',
      'x_token',
      '__proto__',
    );
    const anything = fc.oneof(fc.json(), fc.jsonValue(), fc.dictionary(keys, fc.jsonValue()));
    fc.assert(
      fc.property(anything, anything, anything, (tokenizerConfig, specialTokensMap, addedTokens) => {
        try {
          readSettings({ tokenizerConfig, specialTokensMap, addedTokens });
        } catch (error) {
          expect(error).toBeInstanceOf(TokenizerError);
        }
      }),
    );
  });
});
