import { loadGpt2ForSequenceClassification, readGpt2Config } from '@qlora-js/gpt2';
import type { GgufModelFiles, ModelFiles } from '@qlora-js/hub';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import { FinetuneError } from '../errors';
import type { ModelFamily } from './family';

const GPT2: ModelFamily = {
  modelType: 'gpt2',
  classifierClass: 'GPT2ForSequenceClassification',
  languageModelClass: 'GPT2LMHeadModel',
  targetModules: ['c_attn', 'c_proj'],
  shape: async (files) => {
    const { nPositions, vocabSize } = await readGpt2Config(files);
    return { positions: nPositions, vocabulary: vocabSize };
  },
  tokenizer: tokenizerOf,
  classifier: (files, { device, ...options }) =>
    // Where products are in float16, so is what they begin from.
    loadGpt2ForSequenceClassification(files, { ...options, embeddingDtype: device.info.computeDtype }),
  languageModel: async (files, options) => {
    const { loadGpt2LanguageModel } = await import('./language-models');
    return loadGpt2LanguageModel(files, options);
  },
};

/** transformers' prefix of the classes of each `model_type` that @qlora-js/llama reads, which is loaded when one is. */
const LLAMA_CLASSES = { llama: 'Llama', mistral: 'Mistral', qwen2: 'Qwen2', qwen3: 'Qwen3' } as const;

const LLAMAS = Object.entries(LLAMA_CLASSES).map(([modelType, prefix]): ModelFamily => ({
  modelType,
  classifierClass: `${prefix}ForSequenceClassification`,
  languageModelClass: `${prefix}ForCausalLM`,
  targetModules: 'all-linear',
  shape: async (files) => {
    const { readLlamaConfig } = await import('@qlora-js/llama');
    const { nPositions, vocabSize } = await readLlamaConfig(files);
    return { positions: nPositions, vocabulary: vocabSize };
  },
  tokenizer: tokenizerOf,
  classifier: async (files, { device, ...options }) => {
    const { loadLlamaForSequenceClassification } = await import('@qlora-js/llama');
    return loadLlamaForSequenceClassification(files, { ...options, embeddingDtype: device.info.computeDtype });
  },
  languageModel: async (files, options) => {
    const { loadLlamaLanguageModel } = await import('./language-models');
    return loadLlamaLanguageModel(files, options);
  },
}));

const FAMILIES: readonly ModelFamily[] = [GPT2, ...LLAMAS];

/** A GGUF file carries its vocabulary itself; what reads it is loaded when there is one. */
async function tokenizerOf(files: ModelFiles): Promise<GPT2Tokenizer> {
  if (!('gguf' in files)) return GPT2Tokenizer.load(files);
  const { tokenizerOfGguf } = await import('./gguf-tokenizer');
  return tokenizerOfGguf(files as GgufModelFiles);
}

/** @throws FinetuneError `UNSUPPORTED_MODEL` naming the families there are */
export async function familyOf(files: ModelFiles): Promise<ModelFamily> {
  if (!(await files.has('config.json'))) {
    throw new FinetuneError('UNSUPPORTED_MODEL', `${files.id} has no config.json: it is no model's folder`);
  }
  const config = (await files.json('config.json')) as { model_type?: unknown } | null;
  const modelType = config?.model_type ?? 'gpt2';
  const family = FAMILIES.find((known) => known.modelType === modelType);
  if (family !== undefined) return family;
  throw new FinetuneError(
    'UNSUPPORTED_MODEL',
    `${files.id}/config.json: model_type is ${JSON.stringify(modelType)}, but ${FAMILIES.map((known) => known.modelType).join(', ')} is what can be fine-tuned`,
    { value: modelType },
  );
}
