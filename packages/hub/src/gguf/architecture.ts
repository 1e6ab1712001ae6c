import { shown } from '@qlora-js/read-budget';
import { HubError } from '../error';

/** How an architecture of llama.cpp is one of transformers'. */
export interface GgufArchitecture {
  /** transformers' `model_type`. */
  readonly modelType: string;
  /** transformers' class. */
  readonly className: string;
  /** Whether llama.cpp put the rows of q and k in another order (LlamaModel.permute in convert_hf_to_gguf.py). */
  readonly permuted: boolean;
}

const architectures: ReadonlyMap<string, GgufArchitecture> = new Map([
  ['llama', { modelType: 'llama', className: 'LlamaForCausalLM', permuted: true }],
  ['mistral', { modelType: 'mistral', className: 'MistralForCausalLM', permuted: true }],
  ['qwen2', { modelType: 'qwen2', className: 'Qwen2ForCausalLM', permuted: false }],
  ['qwen3', { modelType: 'qwen3', className: 'Qwen3ForCausalLM', permuted: false }],
]);

/** What is known of an architecture. Throws `HubError` `UNSUPPORTED` that names it and the known ones. */
export function knownArchitecture(name: string, place: string): GgufArchitecture {
  const found = architectures.get(name);
  if (found !== undefined) return found;
  const known = [...architectures.keys()].join(', ');
  throw new HubError('UNSUPPORTED', `${place}: its architecture is ${shown(name)}; known are ${known}`, {
    place,
    value: name,
  });
}

const top: ReadonlyMap<string, string> = new Map([
  ['token_embd.weight', 'model.embed_tokens.weight'],
  ['output_norm.weight', 'model.norm.weight'],
  ['output.weight', 'lm_head.weight'],
]);

const inBlock: ReadonlyMap<string, string> = new Map([
  ['attn_norm', 'input_layernorm'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
]);

/** transformers' name of a tensor of llama.cpp, or the name itself where there is none. */
export function huggingFaceName(name: string): string {
  const known = top.get(name);
  if (known !== undefined) return known;
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  const module = inBlock.get(part ?? '');
  return module === undefined ? name : `model.layers.${layer}.${module}.${kind}`;
}

/**
 * Rows as transformers has them, of rows as llama.cpp has them: within each head the two halves of a rotary pair lie
 * apart there and side by side here.
 */
export function unpermutedRows(bytes: Uint8Array, { rows, heads }: { rows: number; heads: number }): Uint8Array {
  const rowBytes = bytes.byteLength / rows;
  const half = rows / heads / 2;
  const result = new Uint8Array(bytes.byteLength);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (const side of [0, 1]) {
        const from = (head * 2 * half + 2 * i + side) * rowBytes;
        result.set(bytes.subarray(from, from + rowBytes), (head * 2 * half + side * half + i) * rowBytes);
      }
    }
  }
  return result;
}
