import { ggufTokenizer, type GgufModelFiles } from '@qlora-js/hub';
import { GPT2Tokenizer, type Pipeline } from '@qlora-js/tokenize-gpt2';
import { FinetuneError } from '../errors';

/** llama.cpp's names of what stands before byte-level merges (llama-vocab.cpp). */
const PIPELINES: ReadonlyMap<string, Pipeline> = new Map([
  ['gpt-2', { words: 'gpt2', composed: false, ignoreMerges: false }],
  ['smollm', { words: 'smollm', composed: false, ignoreMerges: false }],
  ['llama-bpe', { words: 'llama3', composed: false, ignoreMerges: true }],
  ['qwen2', { words: 'qwen2', composed: true, ignoreMerges: false }],
]);

/** Types of a token in GGUF (ggml's gguf.md, tokenizer.ggml.token_type). */
const [CONTROL, USER_DEFINED] = [3, 4];

/**
 * The tokenizer that a GGUF file carries.
 * @throws FinetuneError `UNSUPPORTED_MODEL` for a vocabulary that is not byte-level, or cut into words in an unknown way
 */
export function tokenizerOfGguf(files: GgufModelFiles): GPT2Tokenizer {
  const { model, preTokenizer = 'gpt-2', tokens, tokenTypes, merges, ...special } = ggufTokenizer(files.gguf);
  const pipeline = model === 'gpt2' ? PIPELINES.get(preTokenizer) : undefined;
  if (pipeline === undefined) {
    const found = model === 'gpt2' ? preTokenizer : model;
    throw new FinetuneError(
      'UNSUPPORTED_MODEL',
      `${files.id} has a tokenizer of the kind '${found}'; byte-level ones of ${[...PIPELINES.keys()].join(', ')} are read`,
      { value: found },
    );
  }
  const tokenOf = (id: number | undefined): string | null => (id === undefined ? null : (tokens[id] ?? null));
  const added = tokens.flatMap((content, id): [number, object][] => {
    const type = tokenTypes?.[id];
    if (type !== CONTROL && type !== USER_DEFINED) return [];
    return [[id, { content, special: type === CONTROL, normalized: false }]];
  });
  return GPT2Tokenizer.fromFiles({
    vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
    merges,
    pipeline,
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      bos_token: tokenOf(special.bosTokenId),
      eos_token: tokenOf(special.eosTokenId),
      unk_token: tokenOf(special.unknownTokenId),
      pad_token: tokenOf(special.paddingTokenId),
      add_bos_token: special.addBosToken ?? false,
      add_eos_token: special.addEosToken ?? false,
      added_tokens_decoder: Object.fromEntries(added),
      ...(special.chatTemplate === undefined ? {} : { chat_template: special.chatTemplate }),
    },
  });
}
