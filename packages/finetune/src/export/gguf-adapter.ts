import { openSafetensors, serializeGguf, toFloat32, type ModelFiles, type StoredTensor } from '@qlora-js/hub';
import { ADAPTER_WEIGHTS, rankAndAlpha, readAdapterConfig, type LoraConfig } from '@qlora-js/lora';
import { FinetuneError } from '../errors';
import { CONFIG } from '../saving/classifier-config';

/** How llama.cpp calls the layers of a kind of model (gguf/tensor_mapping.py). */
interface GgufNames {
  /** A layer's adapter under PEFT: block, layer, A or B. */
  readonly name: RegExp;
  /** What stands before the block's number in the model. */
  readonly blocks: string;
  /** Its names by transformers'. */
  readonly layers: Readonly<Record<string, string>>;
}

const GPT2: GgufNames = {
  name: /^base_model\.model\.(?:transformer\.)?h\.(\d+)\.(.+)\.lora_([AB])\.weight$/,
  blocks: 'transformer.h.',
  layers: {
    'attn.c_attn': 'attn_qkv',
    'attn.c_proj': 'attn_output',
    'mlp.c_fc': 'ffn_up',
    'mlp.c_proj': 'ffn_down',
  },
};

const LLAMA: GgufNames = {
  name: /^base_model\.model\.(?:model\.)?layers\.(\d+)\.(.+)\.lora_([AB])\.weight$/,
  blocks: 'model.layers.',
  layers: {
    'self_attn.q_proj': 'attn_q',
    'self_attn.k_proj': 'attn_k',
    'self_attn.v_proj': 'attn_v',
    'self_attn.o_proj': 'attn_output',
    'mlp.gate_proj': 'ffn_gate',
    'mlp.up_proj': 'ffn_up',
    'mlp.down_proj': 'ffn_down',
  },
};

/** llama.cpp's architecture by `model_type`. */
const ARCHITECTURES: Readonly<Record<string, readonly [name: string, names: GgufNames]>> = {
  gpt2: ['gpt2', GPT2],
  llama: ['llama', LLAMA],
  mistral: ['llama', LLAMA],
  qwen2: ['qwen2', LLAMA],
  qwen3: ['qwen3', LLAMA],
};

/** An adapter as llama.cpp takes it. */
export interface GgufAdapter {
  /** The file. */
  readonly bytes: Uint8Array;
  /** Tensors of the adapter that have no place in it, such as the head's. */
  readonly leftOut: readonly string[];
}

/**
 * A saved adapter as the GGUF LoRA file that llama.cpp's `--lora` takes, in float32 (convert_lora_to_gguf.py: metadata
 * `adapter.type`, `adapter.lora.alpha`; tensors `blk.N.NAME.weight.lora_a` [r, in] and `.lora_b` [out, r]). Rows of q and k stand in
 * llama.cpp's own order where its architecture is `llama`.
 *
 * @throws FinetuneError UNSUPPORTED_MODEL for an adapter of another model, BAD_ADAPTER for DoRA, for a folder without the base's config.json,
 *   or ranks that give layers scales of their own, which the file can't say
 */
export async function ggufAdapter(files: ModelFiles): Promise<GgufAdapter> {
  const config = await readAdapterConfig(files);
  if (config.useDora)
    throw new FinetuneError('BAD_ADAPTER', `${files.id} is a DoRA adapter: llama.cpp has no such files`, {
      remedy: 'merge it instead',
    });
  const model = await adaptedModel(files);
  const { names } = model;
  const weights = await openSafetensors(await files.open(ADAPTER_WEIGHTS));
  const tensors: StoredTensor[] = [];
  const leftOut: string[] = [];
  const alphas = new Set<number>();
  for (const name of [...weights.tensors.keys()].sort()) {
    const [, block, layer = '', side] = names.name.exec(name) ?? [];
    const ours = names.layers[layer];
    if (ours === undefined || block === undefined || side === undefined) {
      if (name.includes('.lora_')) {
        throw new FinetuneError('UNSUPPORTED_MODEL', `${files.id}: ${name} is no layer of ${model.architecture}`, {
          value: name,
          remedy: 'merge it instead',
        });
      }
      leftOut.push(name);
      continue;
    }
    const stored = await weights.read(name);
    if (side === 'A') alphas.add(alphaOf(config, `${names.blocks}${block}.${layer}`, stored.shape[0]!));
    const heads = side === 'B' ? model.turned[ours] : undefined;
    const read = toFloat32(stored);
    const values = heads === undefined ? read : rotaryRows(read, { rows: stored.shape[0]!, heads });
    tensors.push({
      name: `blk.${block}.${ours}.weight.lora_${side.toLowerCase()}`,
      dtype: 'F32',
      shape: stored.shape,
      bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    });
  }
  const [alpha, ...others] = alphas;
  if (alpha === undefined) throw new FinetuneError('BAD_ADAPTER', `${files.id} has no LoRA weights`);
  if (others.length > 0) {
    throw new FinetuneError('BAD_ADAPTER', `${files.id}: layers have the alphas ${[...alphas].join(', ')}`, {
      remedy: 'a GGUF adapter has one alpha; merge it instead',
    });
  }
  const bytes = serializeGguf(tensors, {
    'general.architecture': model.architecture,
    'general.type': 'adapter',
    'general.name': files.id,
    'general.file_type': { uint32: 0 },
    'adapter.type': 'lora',
    'adapter.lora.alpha': { float32: alpha },
  });
  return { bytes, leftOut };
}

/** What an adapter is of, as llama.cpp has it. */
interface AdaptedModel {
  readonly architecture: string;
  readonly names: GgufNames;
  /** Heads of the layers whose rows stand in another order there. */
  readonly turned: Readonly<Record<string, number>>;
}

async function adaptedModel(files: ModelFiles): Promise<AdaptedModel> {
  if (!(await files.has(CONFIG))) {
    throw new FinetuneError('BAD_ADAPTER', `${files.id} has no ${CONFIG}: it does not say what model it is of`, {
      remedy: "put the base's beside it",
    });
  }
  const config = ((await files.json(CONFIG)) ?? {}) as Readonly<Record<string, unknown>>;
  const modelType = config['model_type'] ?? 'gpt2';
  const [architecture, names] = (typeof modelType === 'string' ? ARCHITECTURES[modelType] : undefined) ?? [];
  if (architecture === undefined || names === undefined) {
    throw new FinetuneError(
      'UNSUPPORTED_MODEL',
      `${files.id} is of ${JSON.stringify(modelType)}; adapters of ${Object.keys(ARCHITECTURES).join(', ')} can be exported`,
      { value: modelType, remedy: 'merge it instead' },
    );
  }
  if (architecture !== 'llama') return { architecture, names, turned: {} };
  const heads = config['num_attention_heads'];
  const keyHeads = config['num_key_value_heads'] ?? heads;
  for (const [key, count] of Object.entries({ num_attention_heads: heads, num_key_value_heads: keyHeads })) {
    if (Number.isInteger(count) && (count as number) > 0) continue;
    throw new FinetuneError('BAD_ADAPTER', `${files.id}/${CONFIG}: ${key} is ${JSON.stringify(count)}`, {
      value: count,
    });
  }
  return { architecture, names, turned: { attn_q: heads as number, attn_k: keyHeads as number } };
}

/**
 * Rows of a head in llama.cpp's order: the two halves that a rotation turns, one from each in turn (convert_hf_to_gguf.py,
 * LlamaModel.permute).
 */
function rotaryRows(
  values: Float32Array,
  { rows, heads }: { readonly rows: number; readonly heads: number },
): Float32Array {
  const columns = values.length / rows;
  const width = rows / heads;
  const half = width / 2;
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const within = row % width;
    const from = row - within + (within % 2) * half + Math.floor(within / 2);
    turned.set(values.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return turned;
}

/** The alpha that, divided by the rank as llama.cpp does, gives the layer's scale. */
function alphaOf(config: LoraConfig, layer: string, rank: number): number {
  const { loraAlpha } = rankAndAlpha(config, layer);
  return config.useRslora ? loraAlpha * Math.sqrt(rank) : loraAlpha;
}
