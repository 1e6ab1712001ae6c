import { toFloat32 } from '../dtype/to-float32';
import { HubError } from '../error';
import { knownArchitecture } from './architecture';
import { GgufMetadataReader } from './metadata';
import { type GgufFile } from './open';

/** What llama.cpp's converter takes for frequencies that a file does not say. */
const DEFAULT_ROPE_THETA = 10_000;
/** Llama 3.1 and later: factors of low and high frequencies, and the length that the model was first trained on. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

/**
 * transformers' config.json of a GGUF file's metadata, for llama, mistral, qwen2 and qwen3. Throws `HubError`
 * `UNSUPPORTED` for another architecture or another scaling of rotary frequencies, `CORRUPT_FILE` where a key is missing.
 */
export async function ggufConfig(file: GgufFile): Promise<Record<string, unknown>> {
  const { modelType, className } = knownArchitecture(file.architecture, file.name);
  const read = new GgufMetadataReader(file.metadata, file.name);
  const key = (name: string): string => `${file.architecture}.${name}`;
  const heads = read.count(key('attention.head_count'));
  const hiddenSize = read.count(key('embedding_length'));
  const headDim =
    read.optionalCount(key('attention.key_length')) ??
    read.optionalCount(key('rope.dimension_count')) ??
    hiddenSize / heads;
  const ropeTheta = read.number(key('rope.freq_base')) ?? DEFAULT_ROPE_THETA;
  const config: Record<string, unknown> = {
    architectures: [className],
    model_type: modelType,
    hidden_size: hiddenSize,
    intermediate_size: read.count(key('feed_forward_length')),
    num_hidden_layers: read.count(key('block_count')),
    num_attention_heads: heads,
    num_key_value_heads: read.optionalCount(key('attention.head_count_kv')) ?? heads,
    head_dim: headDim,
    max_position_embeddings: read.count(key('context_length')),
    rms_norm_eps: read.number(key('attention.layer_norm_rms_epsilon')),
    rope_theta: ropeTheta,
    rope_scaling: await ropeScaling(file, { read, headDim, ropeTheta }),
    hidden_act: 'silu',
    vocab_size: file.tensors.get('token_embd.weight')?.shape[0] ?? read.count(key('vocab_size')),
    tie_word_embeddings: !file.tensors.has('output.weight'),
    attention_bias: file.tensors.has('blk.0.attn_q.bias'),
    sliding_window: read.optionalCount(key('attention.sliding_window')) ?? null,
    bos_token_id: read.number('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: read.number('tokenizer.ggml.eos_token_id') ?? null,
    pad_token_id: read.number('tokenizer.ggml.padding_token_id') ?? null,
  };
  return config;
}

/** Linear scaling is in the metadata; Llama 3's is a tensor of factors, one a frequency. */
async function ropeScaling(
  file: GgufFile,
  { read, headDim, ropeTheta }: { read: GgufMetadataReader; headDim: number; ropeTheta: number },
): Promise<Record<string, unknown> | null> {
  const prefix = `${file.architecture}.rope.scaling`;
  const type = read.text(`${prefix}.type`);
  if (file.tensors.has('rope_freqs.weight')) {
    const factors = toFloat32(await file.read('rope_freqs.weight'));
    const factor = factors.reduce((most, value) => Math.max(most, value), 1);
    const expected = llama3Factors(factors.length, ropeTheta, factor);
    const same = factors.every((value, i) => Math.abs(value - expected[i]!) <= 1e-3 * value);
    // The metadata may say any size: the tensor's, which lies in the file, comes first.
    if (same && 2 * factors.length === headDim) return { rope_type: 'llama3', factor, ...LLAMA3 };
    throw unsupported(file, "factors of rotary frequencies (rope_freqs.weight) that are not Llama 3's");
  }
  if (type === undefined || type === 'none') return null;
  if (type === 'linear') return { rope_type: 'linear', factor: read.number(`${prefix}.factor`) ?? 1 };
  throw unsupported(file, `scaling of rotary frequencies of the type ${type}`);
}

/** What the converter divides each frequency by (convert_hf_to_gguf.py, LlamaModel.generate_extra_tensors). */
function llama3Factors(count: number, theta: number, factor: number): number[] {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: length } = LLAMA3;
  return Array.from({ length: count }, (_, i) => {
    const waveLength = 2 * Math.PI * theta ** (i / count);
    if (waveLength < length / high) return 1;
    if (waveLength > length / low) return factor;
    const smooth = (length / waveLength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

function unsupported(file: GgufFile, what: string): HubError {
  return new HubError('UNSUPPORTED', `${file.name} has ${what}; linear and Llama 3's are known`, { place: file.name });
}
