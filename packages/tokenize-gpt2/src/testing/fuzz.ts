import { damaged, type Draw, type FuzzTarget } from '../../../../tools/test/fuzz';
import { TokenizerError } from '../errors';
import { GPT2Tokenizer } from '../tokenizer';
import { tinyFiles } from './tiny-vocabulary';

/** A text as it is, or damaged, or with a bomb in it. */
function nearly(draw: Draw, value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  if (draw.chance(200))
    return text.slice(0, -1) + draw.pick(['[', '{"a":', '[],', 'a b\n', '\n']).repeat(draw.integer(300_000));
  if (!draw.chance(3)) return text;
  return new TextDecoder().decode(damaged(draw, new TextEncoder().encode(text)));
}

function changed(draw: Draw, object: Record<string, unknown>): Record<string, unknown> {
  const result = { ...object };
  for (const key of draw.list(2, () => draw.pick(Object.keys(object)))) {
    if (draw.chance(4)) delete result[key];
    else result[key] = draw.json(3);
  }
  return result;
}

const merges = tinyFiles.merges.split('\n').slice(1, -1);
const addedTokens = [{ id: tinyFiles.vocab['<|endoftext|>'], content: '<|endoftext|>', special: true }];
const config = {
  tokenizer_class: 'GPT2Tokenizer',
  add_prefix_space: false,
  add_bos_token: false,
  model_max_length: 1024,
  padding_side: 'left',
  pad_token: { content: '<pad>', lstrip: true, rstrip: false, normalized: true, single_word: true },
  added_tokens_decoder: { 256: addedTokens[0] },
  extra_special_tokens: ['<a>'],
};

function tokenizerJson(draw: Draw): unknown {
  const model = {
    type: 'BPE',
    vocab: tinyFiles.vocab,
    merges: draw.chance(2) ? merges : merges.map((m) => m.split(' ')),
  };
  const file = {
    added_tokens: addedTokens,
    pre_tokenizer: { type: 'ByteLevel' },
    decoder: { type: 'ByteLevel' },
    post_processor: { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A' } }] },
    padding: { pad_token: '<|endoftext|>', direction: 'Left' },
    model: draw.chance(3) ? changed(draw, model) : model,
  };
  return draw.chance(2) ? changed(draw, file) : file;
}

/** The readers of a tokenizer's files, with files that are nearly right. */
export const tokenizerFuzzTargets: readonly FuzzTarget[] = [
  {
    name: 'tokenizer files',
    isOwn: (error) => TokenizerError.isInstance(error),
    prepare: (draw) => {
      const files = new Map<string, string>();
      if (draw.chance(2)) files.set('tokenizer.json', nearly(draw, tokenizerJson(draw)));
      files.set('vocab.json', nearly(draw, draw.chance(4) ? changed(draw, tinyFiles.vocab) : tinyFiles.vocab));
      files.set('merges.txt', nearly(draw, tinyFiles.merges));
      if (draw.chance(2)) files.set('tokenizer_config.json', nearly(draw, changed(draw, config)));
      if (draw.chance(4)) files.set('special_tokens_map.json', nearly(draw, draw.json(3)));
      if (draw.chance(4))
        files.set('added_tokens.json', nearly(draw, { '<pad>': 269, [draw.text()]: draw.oddNumber() }));
      return async () => {
        const tokenizer = await GPT2Tokenizer.load({
          id: 'x',
          has: async (path) => files.has(path),
          text: async (path) => files.get(path)!,
        });
        tokenizer.decode(tokenizer.encode('hello world <pad> \u{1f600}'));
      };
    },
  },
];
