import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FolderFiles } from './load';
import { randomTexts } from './testing/random-text';
import { idsByToken, tiny, tinyFiles, tokensOf } from './testing/tiny-vocabulary';
import { GPT2Tokenizer } from './tokenizer';

function folder(files: Record<string, string>): FolderFiles {
  return {
    has: async (path) => Object.hasOwn(files, path),
    text: async (path) => {
      const text = files[path];
      if (text === undefined) throw new Error(`asked for ${path}, which is not there`);
      return text;
    },
  };
}

function tokenizerJson(changes: Record<string, unknown> = {}, model: Record<string, unknown> = {}): string {
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [{ id: tiny.endOfText, content: '<|endoftext|>', special: true, normalized: false }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      ignore_merges: false,
      vocab: tinyFiles.vocab,
      merges: tinyFiles.merges
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')),
      ...model,
    },
    ...changes,
  });
}

const load = (files: Record<string, string>): Promise<GPT2Tokenizer> => GPT2Tokenizer.load(folder(files));
const pairFiles = { 'vocab.json': JSON.stringify(tinyFiles.vocab), 'merges.txt': tinyFiles.merges };

describe('save', () => {
  it('writes what transformers reads', () => {
    const tokenizer = GPT2Tokenizer.fromFiles({
      ...tinyFiles,
      tokenizerConfig: { errors: 'replace', tokenizer_class: 'GPT2TokenizerFast' },
    });
    tokenizer.padToken = tokenizer.eosToken;
    const files = tokenizer.save();
    expect(Object.keys(files)).toEqual([
      'vocab.json',
      'merges.txt',
      'tokenizer_config.json',
      'special_tokens_map.json',
    ]);
    expect(files['merges.txt']).toBe(tinyFiles.merges);
    expect(files['vocab.json']!.startsWith('{"Ā":0,"ā":1,')).toBe(true);
    expect(files['special_tokens_map.json']).toBe(
      '{\n  "bos_token": "<|endoftext|>",\n  "eos_token": "<|endoftext|>",\n  "pad_token": "<|endoftext|>",\n  "unk_token": "<|endoftext|>"\n}\n',
    );
    expect(files['tokenizer_config.json']).toContain('"model_max_length": 1000000000000000019884624838656,\n');
    expect(JSON.parse(files['tokenizer_config.json']!)).toEqual({
      add_bos_token: false,
      add_prefix_space: false,
      added_tokens_decoder: {
        [tiny.endOfText]: {
          content: '<|endoftext|>',
          lstrip: false,
          normalized: false,
          rstrip: false,
          single_word: false,
          special: true,
        },
      },
      bos_token: '<|endoftext|>',
      eos_token: '<|endoftext|>',
      errors: 'replace',
      model_max_length: 1e30,
      pad_token: '<|endoftext|>',
      tokenizer_class: 'GPT2Tokenizer',
      unk_token: '<|endoftext|>',
    });
  });

  it('comes back the same from a folder, with all that was set', async () => {
    const tokenizer = GPT2Tokenizer.fromFiles({
      ...tinyFiles,
      tokenizerConfig: { bos_token: null, add_eos_token: true, chat_template: '{{x}}' },
    });
    tokenizer.addSpecialTokens({ padToken: '[PAD]', extraSpecialTokens: ['<s>'] });
    tokenizer.addTokens([
      { content: 'tag', singleWord: true },
      { content: '<x>', lstrip: true, rstrip: true, normalized: false },
      'hello',
    ]);
    tokenizer.paddingSide = 'left';
    tokenizer.truncationSide = 'left';
    tokenizer.modelMaxLength = 77;
    tokenizer.addPrefixSpace = true;
    const files = tokenizer.save();
    expect(JSON.parse(files['added_tokens.json']!)).toEqual({ '[PAD]': 269, '<s>': 270, tag: 271, '<x>': 272 });
    const again = await load(files);
    expect(again.save()).toEqual(files);
    expect(again.bosToken).toBeUndefined();
    expect([again.padTokenId, again.length, again.modelMaxLength, again.paddingSide, again.truncationSide]).toEqual([
      269,
      273,
      77,
      'left',
      'left',
    ]);
    tokenizer.modelMaxLength = again.modelMaxLength = Infinity;
    for (const text of randomTexts({ count: 200, seed: 2, markers: ['tag', ' <x> ', '<s>', 'hello', '[PAD]'] })) {
      expect(again.encode(text)).toEqual(tokenizer.encode(text));
    }
  });

  it('comes back the same without the configuration, through the older files', async () => {
    const tokenizer = GPT2Tokenizer.fromFiles(tinyFiles);
    tokenizer.addSpecialTokens({ padToken: '[PAD]' });
    const { 'tokenizer_config.json': _, ...files } = tokenizer.save();
    const again = await load(files);
    expect([again.padTokenId, again.length]).toEqual([269, 270]);
    expect(again.encode('[PAD]hello')).toEqual([269, tiny.hello]);
  });
});

describe('load', () => {
  it('reads vocab.json and merges.txt, with and without the other files', async () => {
    expect((await load(pairFiles)).encode('hello world')).toEqual([tiny.hello, tiny.world]);
    const config = JSON.stringify({ model_max_length: 5, pad_token: '<|endoftext|>' });
    const tokenizer = await load({ ...pairFiles, 'tokenizer_config.json': config });
    expect([tokenizer.modelMaxLength, tokenizer.padTokenId]).toEqual([5, tiny.endOfText]);
  });

  it('names the files that are missing', async () => {
    await expect(load({})).rejects.toMatchObject({ code: 'MISSING_FILE' });
    await expect(load({ 'merges.txt': '' })).rejects.toThrow('The folder has no vocab.json and no tokenizer.json');
    await expect(load({})).rejects.toThrow('no vocab.json and no merges.txt and no tokenizer.json');
  });

  it('refuses added tokens that do not follow the vocabulary', async () => {
    const decoder = { '300': { content: 'tag' } };
    const config = JSON.stringify({ added_tokens_decoder: decoder });
    await expect(load({ ...pairFiles, 'tokenizer_config.json': config })).rejects.toThrow(
      '"tag" is declared with the id 300, but gets 269',
    );
  });

  it('reads tokenizer.json before them, with its added tokens', async () => {
    const added = [
      { id: tiny.endOfText, content: '<|endoftext|>', special: true, normalized: true },
      { id: 269, content: 'tag', single_word: true, lstrip: false, rstrip: false, normalized: true, special: false },
    ];
    const tokenizer = await load({ ...pairFiles, 'tokenizer.json': tokenizerJson({ added_tokens: added }) });
    expect(tokenizer.encode('hello tag tags')).toEqual([
      tiny.hello,
      ...tokenizer.encode(' '),
      269,
      ...tokenizer.encode(' tags'),
    ]);
    expect(tokenizer.length).toBe(270);
    expect(JSON.parse(tokenizer.save()['special_tokens_map.json']!)).toMatchObject({ eos_token: { normalized: true } });
  });

  it('takes merges written as text, bos and eos of the template, and the padding', async () => {
    const merges = tinyFiles.merges.split('\n').slice(1, -1);
    const special = (id: string): unknown => ({ SpecialToken: { id, type_id: 0 } });
    const text = { Sequence: { id: 'A', type_id: 0 } };
    const template = {
      type: 'TemplateProcessing',
      single: [special('<|endoftext|>'), text],
      pair: [],
      special_tokens: {},
    };
    const padding = { pad_token: '<|endoftext|>', direction: 'Left' };
    const tokenizer = await load({
      'tokenizer.json': tokenizerJson({ post_processor: template, padding }, { merges }),
    });
    expect(tokenizer.encode('hello')).toEqual([tiny.endOfText, tiny.hello]);
    expect([tokenizer.padTokenId, tokenizer.paddingSide]).toEqual([tiny.endOfText, 'left']);
    const byteLevel = await load({ 'tokenizer.json': tokenizerJson({ post_processor: { type: 'ByteLevel' } }) });
    expect(byteLevel.encode('hello')).toEqual([tiny.hello]);
    const both = { ...template, single: [special('<|endoftext|>'), text, special('<|endoftext|>')] };
    const around = await load({ 'tokenizer.json': tokenizerJson({ post_processor: both }) });
    expect(around.encode('hello')).toEqual([tiny.endOfText, tiny.hello, tiny.endOfText]);
  });

  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /tokenizer\.json is not JSON/],
    ['another model', tokenizerJson({}, { type: 'WordPiece' }), /model\.type is "WordPiece"/],
    ['merges that do not count', tokenizerJson({}, { ignore_merges: 1 }), /model\.ignore_merges is 1/],
    [
      'a normalizer',
      tokenizerJson({ normalizer: { type: 'NFKC' } }),
      /normalizer\.type is "NFKC"; none and NFC are known/,
    ],
    [
      'another pre-tokenizer',
      tokenizerJson({ pre_tokenizer: { type: 'Whitespace' } }),
      /pre_tokenizer is \{"type":"Whitespace"\}; GPT-2's, SmolLM's/,
    ],
    ['no pre-tokenizer', tokenizerJson({ pre_tokenizer: null }), /pre_tokenizer is null/],
    ['another decoder', tokenizerJson({ decoder: { type: 'WordPiece' } }), /decoder\.type is "WordPiece"/],
    [
      'another post-processor',
      tokenizerJson({ post_processor: { type: 'BertProcessing' } }),
      /post_processor\.type is "BertProcessing"/,
    ],
    [
      'an unknown template',
      tokenizerJson({ post_processor: { type: 'TemplateProcessing', single: [] } }),
      /post_processor\.single/,
    ],
    ['added tokens that are no list', tokenizerJson({ added_tokens: {} }), /added_tokens is \{\}, not a list/],
    [
      'an added token without an id',
      tokenizerJson({ added_tokens: [{ content: 'x' }] }),
      /added_tokens\[0\]\.id is undefined/,
    ],
    [
      'a vocabulary with a hole',
      tokenizerJson({}, { vocab: { ...tinyFiles.vocab, hello: 999 } }),
      /tokenizer\.json: model\.vocab.*hole/,
    ],
    ['a merge that is unknown', tokenizerJson({}, { merges: ['q q'] }), /tokenizer\.json: model\.merges: merge 0/],
  ])('names what is wrong with a tokenizer.json that has %s', async (_, text, message) => {
    await expect(load({ 'tokenizer.json': text })).rejects.toThrow(message);
    await expect(load({ 'tokenizer.json': text })).rejects.toHaveProperty('name', 'TokenizerError');
  });

  it('survives tokens of any text', async () => {
    const anyToken = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
      .filter((token) => !token.includes('<|'));
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyToken, { maxLength: 12 }),
        fc.string({ unit: 'grapheme' }),
        async (tokens, text) => {
          const tokenizer = GPT2Tokenizer.fromFiles({ vocab: idsByToken(tokensOf([])), merges: [] });
          tokenizer.addTokens(tokens);
          const again = await load(tokenizer.save());
          expect(again.save()).toEqual(tokenizer.save());
          expect(again.encode(tokens.join(text))).toEqual(tokenizer.encode(tokens.join(text)));
        },
      ),
      { numRuns: 50 },
    );
  });
});
