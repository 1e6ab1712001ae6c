import { loadGpt2LMHeadModel, type CausalLanguageModel } from '@qlora-js/gpt2';
import type { ModelFiles } from '@qlora-js/hub';
import type { LoadedModel, LoadModel } from './family';

// The embedding is most often the head too, whose products want float32: what the device computes in changes nothing.

/** GPT-2 under the head that scores its vocabulary. */
export function loadGpt2LanguageModel(
  files: ModelFiles,
  { device: _, ...options }: LoadModel,
): Promise<LoadedModel<CausalLanguageModel>> {
  return loadGpt2LMHeadModel(files, options);
}

/** The same of Llama and its kin. */
export async function loadLlamaLanguageModel(
  files: ModelFiles,
  { device: _, ...options }: LoadModel,
): Promise<LoadedModel<CausalLanguageModel>> {
  const { loadLlamaForCausalLM } = await import('@qlora-js/llama');
  return loadLlamaForCausalLM(files, options);
}
