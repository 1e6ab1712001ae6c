import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { TokenizerError } from './errors';
import type { TokenizerOptions } from './options';
import { baseFiles } from './testing/base-files';
import { randomTexts } from './testing/random-text';
import { tiny, tinyFiles } from './testing/tiny-vocabulary';
import { GPT2Tokenizer } from './tokenizer';

function tinyTokenizer(tokenizerConfig: Record<string, unknown> = {}, options: TokenizerOptions = {}): GPT2Tokenizer {
  return GPT2Tokenizer.fromFiles({ ...tinyFiles, tokenizerConfig }, options);
}

function errorOf(work: () => unknown): TokenizerError {
  try {
    work();
  } catch (error) {
    if (error instanceof TokenizerError) return error;
    throw error;
  }
  throw new Error('no error was thrown');
}

const { hello, world, card, endOfText } = tiny;

describe('encode and decode', () => {
  it('gives back any text without lone surrogates', () => {
    const tokenizer = tinyTokenizer();
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('hello', ' world', 'card', '<|endoftext|>', ' ', 'é', '🙂', "'ll", '\ufeff')),
        (parts) => {
          expect(tokenizer.decode(tokenizer.encode(parts.join('')))).toBe(parts.join(''));
        },
      ),
    );
  });

  it('gives the same ids with any size of cache', () => {
    const texts = randomTexts({ count: 400, seed: 5, markers: ['hello world', '<|endoftext|>'] });
    const [none, small, large] = [0, 6, 4096].map((cacheWords) => tinyTokenizer({}, { cacheWords }));
    for (const text of texts) {
      const ids = none!.encode(text);
      expect(small!.encode(text)).toEqual(ids);
      expect(large!.encode(text)).toEqual(ids);
    }
    expect(errorOf(() => tinyTokenizer({}, { cacheWords: -1 })).code).toBe('INVALID_OPTION');
  });

  it('splits special tokens out of the text', () => {
    const tokenizer = tinyTokenizer();
    expect(tokenizer.encode('hello<|endoftext|> world')).toEqual([hello, endOfText, world]);
    expect(tokenizer.decode([hello, endOfText, world], { skipSpecialTokens: true })).toBe('hello world');
    expect(tokenizer.tokenize('hello world<|endoftext|>')).toEqual(['hello', 'Ġworld', '<|endoftext|>']);
  });

  it('puts the prefix space before the text and after added tokens, unless a space is there', () => {
    const tokenizer = tinyTokenizer({ add_prefix_space: true });
    expect(tokenizer.tokenize('world<|endoftext|>world')).toEqual(['Ġworld', '<|endoftext|>', 'Ġworld']);
    expect(tokenizer.tokenize(' world')).toEqual(['Ġworld']);
    expect(tokenizer.tokenize('\nh')).toEqual(['Ġ', 'Ċ', 'h']);
    expect(tokenizer.encode('')).toEqual([]);
  });

  it('replaces what is no UTF-8, keeps a byte order mark, and refuses unknown ids', () => {
    const tokenizer = tinyTokenizer();
    const [, second] = tokenizer.encode('é');
    expect(tokenizer.decode([second!, hello])).toBe('\ufffdhello');
    expect(tokenizer.decode(tokenizer.encode('\ufeffhello'))).toBe('\ufeffhello');
    expect(tokenizer.decode(tokenizer.encode('\ud800'))).toBe('\ufffd');
    expect(tokenizer.decode(Int32Array.of(hello))).toBe('hello');
    for (const id of [-100, 269, 1.5, NaN])
      expect(errorOf(() => tokenizer.decode([hello, id])).message).toContain(`ids[1] is ${id}`);
    expect(errorOf(() => tokenizer.convertIdsToTokens(269)).code).toBe('UNKNOWN_ID');
  });

  it('cleans up spaces only when told to', () => {
    const tokenizer = tinyTokenizer();
    const ids = tokenizer.encode("hello , world . do n't");
    expect(tokenizer.decode(ids)).toBe("hello , world . do n't");
    expect(tokenizer.decode(ids, { cleanUpTokenizationSpaces: true })).toBe("hello, world. don't");
    expect(tokenizer.batchDecode([[hello], [world]])).toEqual(['hello', ' world']);
  });

  it('converts tokens to ids and back, unknown ones to unk', () => {
    const tokenizer = tinyTokenizer();
    expect(tokenizer.convertTokensToIds(['hello', 'no such token'])).toEqual([hello, endOfText]);
    expect(tokenizer.convertIdsToTokens([hello, world])).toEqual(['hello', 'Ġworld']);
    expect(tokenizer.convertTokensToString(['Ġworld', 'Ã', '©'])).toBe(' worldé');
    tokenizer.unkToken = undefined;
    expect(errorOf(() => tokenizer.convertTokensToIds('no such token')).code).toBe('UNKNOWN_TOKEN');
  });

  it('refuses what is not text', () => {
    const notText = 7 as unknown as string;
    expect(errorOf(() => tinyTokenizer().encode(notText)).message).toBe('The text is 7, not text');
    expect(errorOf(() => tinyTokenizer().batch(['a', notText])).message).toBe('texts[1] is 7, not text');
  });

  it('puts bos and eos around the text where the configuration asks for it', () => {
    const tokenizer = tinyTokenizer({ add_bos_token: true, add_eos_token: true });
    expect(tokenizer.encode('hello world')).toEqual([endOfText, hello, world, endOfText]);
    expect(tokenizer.encode('hello world', { addSpecialTokens: false })).toEqual([hello, world]);
    expect(tokenizer.encode('hello world', { maxLength: 3 })).toEqual([endOfText, hello, endOfText]);
    expect(tokenizer.encode('hello world', { maxLength: 2 })).toEqual([endOfText, endOfText]);
    expect(errorOf(() => tokenizer.encode('hello', { maxLength: 1 })).code).toBe('INVALID_OPTION');
    expect(tokenizer.tokenize('hello')).toEqual(['hello']);
    expect(tokenizer.countTokens('hello')).toBe(3);
  });
});

describe('batch', () => {
  it('pads right or left, with a mask', () => {
    const tokenizer = tinyTokenizer();
    tokenizer.padToken = tokenizer.eosToken;
    expect(tokenizer.padTokenId).toBe(endOfText);
    const texts = ['hello', 'hello world card'];
    const long = tokenizer.encode(texts[1]!);
    expect(tokenizer.batch(texts, { padding: true })).toEqual({
      inputIds: [[hello, ...new Array<number>(long.length - 1).fill(endOfText)], long],
      attentionMask: [[1, ...new Array<number>(long.length - 1).fill(0)], long.map(() => 1)],
      truncatedTexts: 0,
      overlongTexts: 0,
    });
    tokenizer.paddingSide = 'left';
    expect(tokenizer.batch(texts, { padding: 'max_length', maxLength: 3, truncation: true })).toEqual({
      inputIds: [[endOfText, endOfText, hello], long.slice(0, 3)],
      attentionMask: [
        [0, 0, 1],
        [1, 1, 1],
      ],
      truncatedTexts: long.length > 3 ? 1 : 0,
      overlongTexts: 0,
    });
  });

  it('counts the texts it cuts, and cuts from the side asked for', () => {
    const tokenizer = tinyTokenizer({ truncation_side: 'left' });
    const batch = tokenizer.batch(['hello world', 'hello', 'hello world world'], { maxLength: 1 });
    expect(batch.inputIds).toEqual([[world], [hello], [world]]);
    expect(batch.truncatedTexts).toBe(2);
    expect(tokenizer.batch(['hello'], { maxLength: 0 }).inputIds).toEqual([[]]);
  });

  it('rounds the padded length up, and takes a single text as a batch of one', () => {
    const tokenizer = tinyTokenizer({ pad_token: '<|endoftext|>' });
    expect(tokenizer.batch('hello', { padding: true, padToMultipleOf: 4 }).attentionMask).toEqual([[1, 0, 0, 0]]);
    expect(
      tokenizer.batch('hello', { padding: 'max_length', maxLength: 5, padToMultipleOf: 4 }).inputIds[0],
    ).toHaveLength(8);
    expect(tokenizer.batch('hello', { returnAttentionMask: false })).toEqual({
      inputIds: [[hello]],
      truncatedTexts: 0,
      overlongTexts: 0,
    });
    expect(tokenizer.batch([])).toEqual({ inputIds: [], attentionMask: [], truncatedTexts: 0, overlongTexts: 0 });
  });

  it('takes modelMaxLength as the bound where none is given', () => {
    const tokenizer = tinyTokenizer({ model_max_length: 2, pad_token: '<|endoftext|>' });
    expect(tokenizer.batch(['hello', 'hello world world'], { padding: 'max_length', truncation: true })).toEqual({
      inputIds: [
        [hello, endOfText],
        [hello, world],
      ],
      attentionMask: [
        [1, 0],
        [1, 1],
      ],
      truncatedTexts: 1,
      overlongTexts: 0,
    });
  });

  it('counts rows longer than the model takes, and warns once of each kind', () => {
    const warnings: string[] = [];
    const tokenizer = tinyTokenizer(
      { model_max_length: 2, pad_token: '<|endoftext|>' },
      { onWarning: (text) => warnings.push(text) },
    );
    const texts = ['hello world world', 'hello', 'hello world world world'];
    expect(tokenizer.batch(texts).overlongTexts).toBe(2);
    expect(tokenizer.batch(texts, { truncation: true, maxLength: 3 })).toMatchObject({
      truncatedTexts: 1,
      overlongTexts: 2,
    });
    expect(tokenizer.batch(texts, { truncation: true }).overlongTexts).toBe(0);
    expect(warnings).toEqual(['A row has 3 tokens and the model takes 2: pass truncation: true']);
    tokenizer.batch(texts, { padding: true, maxLength: 3 });
    tokenizer.batch(texts, { padding: true, maxLength: 3 });
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain('maxLength does nothing');
  });

  it.each<[string, Parameters<GPT2Tokenizer['batch']>[1], string, RegExp]>([
    ['no pad token', { padding: true }, 'NO_PAD_TOKEN', /tokenizer\.padToken = tokenizer\.eosToken/],
    ['no length to pad to', { padding: 'max_length' }, 'MISSING_MAX_LENGTH', /padding: 'max_length' needs a length/],
    ['no length to cut to', { truncation: true }, 'MISSING_MAX_LENGTH', /truncation needs a length.*maxLength/],
    ['a negative length', { truncation: true, maxLength: -1 }, 'INVALID_OPTION', /maxLength is -1/],
    ['a broken length', { maxLength: 1.5 }, 'INVALID_OPTION', /maxLength is 1\.5/],
    ['a multiple of zero', { padToMultipleOf: 0 }, 'INVALID_OPTION', /padToMultipleOf is 0/],
    ['an unknown padding', { padding: 'most' as 'longest' }, 'INVALID_OPTION', /padding is "most".*'longest'/],
    ['an unknown truncation', { truncation: 'most' as 'only_first' }, 'INVALID_OPTION', /truncation is "most"/],
    ['an unknown side', { paddingSide: 'top' as 'left' }, 'INVALID_OPTION', /paddingSide is "top"/],
  ])('refuses %s', (_, options, code, message) => {
    const error = errorOf(() => tinyTokenizer().batch(['hello'], options));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('refuses to cut to a length that padding would go over', () => {
    const tokenizer = tinyTokenizer({ pad_token: '<|endoftext|>' });
    const options = { padding: true, truncation: true, maxLength: 5, padToMultipleOf: 4 };
    expect(errorOf(() => tokenizer.batch(['hello'], options)).message).toContain(
      'maxLength 5 is not a multiple of padToMultipleOf 4',
    );
  });
});

describe('pad', () => {
  const tokenizer = tinyTokenizer({ pad_token: '<|endoftext|>' });

  it('pads examples, keeping their other fields as columns', () => {
    const examples = [
      { inputIds: [hello], label: 3 },
      { inputIds: [hello, world], label: 5 },
    ];
    const padded = tokenizer.pad(examples, { padToMultipleOf: 3 });
    const labels: number[] = padded.label;
    expect(labels).toEqual([3, 5]);
    expect(padded.inputIds).toEqual([
      [hello, endOfText, endOfText],
      [hello, world, endOfText],
    ]);
    expect(padded.attentionMask).toEqual([
      [1, 0, 0],
      [1, 1, 0],
    ]);
    expect(examples[0]!.inputIds).toEqual([hello]);
  });

  it('pads columns and the mask that is there, and leaves longer rows as they are', () => {
    const columns = {
      inputIds: [Int32Array.of(hello), [hello, world, card]],
      attentionMask: [[0], [1, 0, 1]],
      idx: 'kept',
    };
    const padded = tokenizer.pad(columns, { padding: 'max_length', maxLength: 2, paddingSide: 'left' });
    expect(padded).toEqual({
      inputIds: [
        [endOfText, hello],
        [hello, world, card],
      ],
      attentionMask: [
        [0, 0],
        [1, 0, 1],
      ],
      idx: 'kept',
    });
    expect(tokenizer.pad({ inputIds: [[hello], []] }, { padding: false }).inputIds).toEqual([[hello], []]);
    expect(tokenizer.pad({ inputIds: [[1], [2, 3]] }, { returnAttentionMask: false })).toEqual({
      inputIds: [
        [1, endOfText],
        [2, 3],
      ],
    });
    expect(tokenizer.pad([])).toEqual({ inputIds: [], attentionMask: [] });
  });

  it('refuses examples and masks that do not fit', () => {
    const missing = [{ inputIds: [1], label: 1 }, { inputIds: [2] } as { inputIds: number[]; label: number }];
    expect(errorOf(() => tokenizer.pad(missing)).message).toBe('Example 1 has no label, which example 0 has');
    expect(errorOf(() => tokenizer.pad({ inputIds: [[1, 2]], attentionMask: [[1]] })).message).toContain(
      'attentionMask[0] has 1 entries',
    );
    expect(errorOf(() => tokenizer.pad({ inputIds: [[1, 2]], attentionMask: [] })).message).toContain(
      'attentionMask has 0 rows',
    );
    expect(errorOf(() => tokenizer.pad({ inputIds: [3 as unknown as number[]] })).message).toContain(
      'inputIds[0] is 3',
    );
    expect(errorOf(() => tinyTokenizer().pad({ inputIds: [[1]] })).code).toBe('NO_PAD_TOKEN');
    expect(errorOf(() => tokenizer.pad({ inputIds: [[1]] }, { padding: 'max_length' })).code).toBe(
      'MISSING_MAX_LENGTH',
    );
  });

  it('agrees with batch', () => {
    const texts = randomTexts({ count: 50, seed: 3 });
    for (const options of [{ padding: true }, { padding: 'max_length', maxLength: 9, padToMultipleOf: 2 }] as const) {
      const { inputIds, attentionMask } = tokenizer.batch(texts, options);
      expect(tokenizer.pad({ inputIds: texts.map((text) => tokenizer.encode(text)) }, options)).toEqual({
        inputIds,
        attentionMask,
      });
    }
  });
});

describe('special tokens', () => {
  it('takes a role only for a token there is', () => {
    const tokenizer = tinyTokenizer();
    const error = errorOf(() => (tokenizer.padToken = '[PAD]'));
    expect(error.code).toBe('UNKNOWN_TOKEN');
    expect(error.message).toContain('addSpecialTokens({ padToken: "[PAD]" })');
    expect(tokenizer.padToken).toBeUndefined();
    tokenizer.padToken = 'card';
    expect(tokenizer.padTokenId).toBe(card);
    tokenizer.padToken = undefined;
    expect(tokenizer.padTokenId).toBeUndefined();
  });

  it('adds new ones after the vocabulary and finds them in texts', () => {
    const tokenizer = tinyTokenizer();
    expect(tokenizer.addSpecialTokens({ padToken: '[PAD]', extraSpecialTokens: ['<s>', 'hello'] })).toBe(2);
    expect([tokenizer.vocabSize, tokenizer.length, tokenizer.padTokenId]).toEqual([269, 271, 269]);
    expect(tokenizer.addTokens(['<s>', 'card'])).toBe(0);
    expect(tokenizer.encode('hello[PAD]card<s>')).toEqual([hello, 269, card, 270]);
    expect(tokenizer.specialTokensMap).toEqual({
      bosToken: '<|endoftext|>',
      eosToken: '<|endoftext|>',
      unkToken: '<|endoftext|>',
      padToken: '[PAD]',
    });
    expect(errorOf(() => tokenizer.addTokens([''])).code).toBe('INVALID_CONFIG');
  });

  it('adds the end of text to a vocabulary that lacks it', () => {
    const vocab = Object.fromEntries(Object.entries(tinyFiles.vocab).filter(([token]) => token !== '<|endoftext|>'));
    const tokenizer = GPT2Tokenizer.fromFiles({ ...tinyFiles, vocab });
    expect([tokenizer.vocabSize, tokenizer.length, tokenizer.eosTokenId]).toEqual([268, 269, 268]);
  });
});

describe('settings', () => {
  it('checks what is set', () => {
    const tokenizer = tinyTokenizer();
    expect(tokenizer.modelMaxLength).toBe(Infinity);
    expect(errorOf(() => (tokenizer.modelMaxLength = 0)).code).toBe('INVALID_OPTION');
    expect(errorOf(() => (tokenizer.paddingSide = 'up' as 'left')).code).toBe('INVALID_OPTION');
    expect(errorOf(() => (tokenizer.truncationSide = 'up' as 'left')).code).toBe('INVALID_OPTION');
    tokenizer.modelMaxLength = 1e30;
    expect(tokenizer.modelMaxLength).toBe(Infinity);
    tokenizer.addPrefixSpace = true;
    expect(tokenizer.tokenize('world')).toEqual(['Ġworld']);
  });
});

describe("with GPT-2's vocabulary", () => {
  let tokenizer: GPT2Tokenizer;

  beforeAll(() => {
    tokenizer = GPT2Tokenizer.fromFiles(baseFiles(), { onWarning: () => undefined });
  });

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
    for (const text of randomTexts({ count: 500, seed: 9, markers: ['<|endoftext|>'] })) {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    }
  });

  it('pads the sentence of the manual forward pass to 128', () => {
    tokenizer.padToken = tokenizer.eosToken;
    const { inputIds, attentionMask } = tokenizer.batch('This is a test sentence for banking.', {
      padding: 'max_length',
      truncation: true,
      maxLength: 128,
    });
    expect(inputIds[0]!.slice(0, 9)).toEqual([1212, 318, 257, 1332, 6827, 329, 11754, 13, 50256]);
    expect(inputIds[0]).toHaveLength(128);
    expect(attentionMask[0]!.reduce((sum, value) => sum + value, 0)).toBe(8);
  });
});
