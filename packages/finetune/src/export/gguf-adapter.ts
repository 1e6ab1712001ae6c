import { openSafetensors, serializeGguf, toFloat32, type ModelFiles, type StoredTensor } from '@qlora-js/hub';
import { ADAPTER_WEIGHTS, rankAndAlpha, readAdapterConfig, type LoraConfig } from '@qlora-js/lora';
import { FinetuneError } from '../errors';

/** llama.cpp's names of GPT-2's layers (gguf/tensor_mapping.py). */
const GPT2_LAYERS: Readonly<Record<string, string>> = {
  'attn.c_attn': 'attn_qkv',
  'attn.c_proj': 'attn_output',
  'mlp.c_fc': 'ffn_up',
  'mlp.c_proj': 'ffn_down',
};

const GPT2_NAME = /^base_model\.model\.(?:transformer\.)?h\.(\d+)\.(.+)\.lora_([AB])\.weight$/;

/** An adapter as llama.cpp takes it. */
export interface GgufAdapter {
  /** The file. */
  readonly bytes: Uint8Array;
  /** Tensors of the adapter that have no place in it, such as the head's. */
  readonly leftOut: readonly string[];
}

/**
 * A saved adapter as the GGUF LoRA file that llama.cpp's `--lora` takes, in float32 (convert_lora_to_gguf.py: metadata
 * `adapter.type`, `adapter.lora.alpha`; tensors `blk.N.NAME.weight.lora_a` [r, in] and `.lora_b` [out, r]).
 *
 * @throws FinetuneError UNSUPPORTED_MODEL for an adapter that is not of GPT-2, BAD_ADAPTER for DoRA, or ranks that give layers scales
 *   of their own, which the file can't say
 */
export async function ggufAdapter(files: ModelFiles): Promise<GgufAdapter> {
  const config = await readAdapterConfig(files);
  if (config.useDora)
    throw new FinetuneError('BAD_ADAPTER', `${files.id} is a DoRA adapter: llama.cpp has no such files`, {
      remedy: 'merge it instead',
    });
  const weights = await openSafetensors(await files.open(ADAPTER_WEIGHTS));
  const tensors: StoredTensor[] = [];
  const leftOut: string[] = [];
  const alphas = new Set<number>();
  for (const name of [...weights.tensors.keys()].sort()) {
    const [, block, layer = '', side] = GPT2_NAME.exec(name) ?? [];
    const ours = GPT2_LAYERS[layer];
    if (ours === undefined || block === undefined || side === undefined) {
      if (name.includes('.lora_')) {
        throw new FinetuneError('UNSUPPORTED_MODEL', `${files.id}: ${name} is no layer of GPT-2`, {
          value: name,
          remedy: 'adapters of GPT-2 are what can be exported; merge others instead',
        });
      }
      leftOut.push(name);
      continue;
    }
    const stored = await weights.read(name);
    if (side === 'A') alphas.add(alphaOf(config, `transformer.h.${block}.${layer}`, stored.shape[0]!));
    const values = toFloat32(stored);
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
    'general.architecture': 'gpt2',
    'general.type': 'adapter',
    'general.name': files.id,
    'general.file_type': { uint32: 0 },
    'adapter.type': 'lora',
    'adapter.lora.alpha': { float32: alpha },
  });
  return { bytes, leftOut };
}

/** The alpha that, divided by the rank as llama.cpp does, gives the layer's scale. */
function alphaOf(config: LoraConfig, layer: string, rank: number): number {
  const { loraAlpha } = rankAndAlpha(config, layer);
  return config.useRslora ? loraAlpha * Math.sqrt(rank) : loraAlpha;
}
