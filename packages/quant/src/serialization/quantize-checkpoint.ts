import { openCheckpoint, serializeSafetensors, toFloat32, type ModelFiles, type StoredTensor } from '@qlora-js/hub';
import { QuantError } from '../errors';
import { quantizeArray } from '../quantize/quantize-array';
import type { QuantizeOptions } from '../types';
import { pythonFloat } from './python-json';
import { quantStateToTensors } from './state-dict';

/** How a checkpoint is quantised and laid out in files. */
export interface QuantizeCheckpointOptions extends Omit<QuantizeOptions, 'name'> {
  /** Quantise GPT-2's token embedding too; transformers does not read that, @qlora-js/gpt2 does. Default false. */
  readonly embedding?: boolean;
  /** Bytes of one file of weights at most, unless a tensor alone has more; 2 GiB by default. */
  readonly maxShardBytes?: number;
  /** Called after each stored tensor. */
  readonly onTensor?: (done: number, total: number, name: string) => void;
}

/** What the model's other files may be; they are copied as they are. */
const COPIED = [
  ...['generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'],
  ...['added_tokens.json', 'vocab.json', 'merges.txt', 'chat_template.jinja'],
];

/** GPT-2's Conv1D layers store [in, out]; bitsandbytes' blocks run along [out, in], and so does what is written. */
const CONV1D = /^(?:transformer\.)?h\.\d+\.(?:attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.weight$/;
/** Linear layers of Llama, Mistral and Qwen. */
const LINEAR = /\.layers\.\d+\.(?:self_attn\.[qkvo]_proj|mlp\.(?:gate|up|down)_proj)\.weight$/;
const EMBEDDING = /^(?:transformer\.)?wte\.weight$/;
/** Causal masks, which transformers makes itself. */
const MASK = /^(?:transformer\.)?h\.\d+\.attn\.(?:bias|masked_bias)$/;
/** A copy of the embedding in old files of GPT-2, under a name of its own. */
const COPIED_HEAD = 'lm_head.decoder.weight';

/**
 * A checkpoint in 4 bits, as the files of a folder by name: weights as bitsandbytes lays them in safetensors, in shards
 * where they are larger than one file may be, and config.json with transformers' quantization_config, so that
 * from_pretrained of transformers loads it without more. Linear layers of GPT-2, Llama, Mistral and Qwen are quantised;
 * all else stays as it is stored. Write it with `writeFolder` of @qlora-js/hub/node.
 *
 * @throws QuantError BAD_ARGUMENT, NON_FINITE; HubError for files that are missing or damaged
 */
export async function quantizeCheckpoint(
  files: ModelFiles,
  options: QuantizeCheckpointOptions = {},
): Promise<Record<string, Uint8Array | string>> {
  const { embedding = false, maxShardBytes = 2 ** 31, onTensor, ...quantization } = options;
  if (!(maxShardBytes > 0))
    throw new QuantError('BAD_ARGUMENT', `maxShardBytes is ${maxShardBytes}: give a number above 0`);
  const config = configWith(await files.text('config.json'), {
    config: await files.json('config.json'),
    options: quantization,
    place: files.id,
  });
  const checkpoint = await openCheckpoint(files);
  const shards = new Shards(maxShardBytes);
  const names = checkpoint.names();
  let quantised = 0;
  for (const [index, name] of names.entries()) {
    if (!MASK.test(name) && name !== COPIED_HEAD) {
      const stored = await checkpoint.read(name);
      const conv1d = CONV1D.test(name);
      if (conv1d || LINEAR.test(name) || (embedding && EMBEDDING.test(name))) {
        quantised++;
        for (const tensor of inFourBits(stored, conv1d, quantization)) shards.add(tensor);
      } else shards.add(stored);
    }
    onTensor?.(index + 1, names.length, name);
  }
  if (quantised === 0) {
    throw new QuantError(
      'BAD_ARGUMENT',
      `${files.id} has no linear layer of GPT-2, Llama, Mistral or Qwen to quantise, but ${names.slice(0, 3).join(', ')}, ...`,
    );
  }
  const result: Record<string, Uint8Array | string> = { 'config.json': config, ...shards.files() };
  for (const name of COPIED) if (await files.has(name)) result[name] = await files.text(name);
  return result;
}

function inFourBits(
  stored: StoredTensor,
  transposed: boolean,
  options: Omit<QuantizeOptions, 'name'>,
): Iterable<StoredTensor> {
  const { name, shape } = stored;
  const [rows = 0, columns = 0] = shape;
  const values = toFloat32(stored);
  const quantised = transposed
    ? quantizeArray(turned(values, rows, columns), [columns, rows], { ...options, name })
    : quantizeArray(values, shape, { ...options, name });
  // Only U8 and F32 are made.
  return quantStateToTensors(name, quantised) as StoredTensor[];
}

/** [rows, columns] -> [columns, rows]. */
function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  }
  return result;
}

/** Tensors in files of a size, named as transformers names shards. */
class Shards {
  private readonly shards: StoredTensor[][] = [[]];
  private bytes = 0;

  constructor(private readonly most: number) {}

  add(tensor: StoredTensor): void {
    if (this.bytes > 0 && this.bytes + tensor.bytes.byteLength > this.most) {
      this.shards.push([]);
      this.bytes = 0;
    }
    this.bytes += tensor.bytes.byteLength;
    this.shards.at(-1)!.push(tensor);
  }

  files(): Record<string, Uint8Array | string> {
    const { shards } = this;
    const content = (tensors: readonly StoredTensor[]): Uint8Array => serializeSafetensors(tensors, { format: 'pt' });
    if (shards.length === 1) return { 'model.safetensors': content(shards[0]!) };
    const files: Record<string, Uint8Array | string> = {};
    const weightMap: Record<string, string> = {};
    let total = 0;
    for (const [index, tensors] of shards.entries()) {
      const path = `model-${padded(index + 1)}-of-${padded(shards.length)}.safetensors`;
      files[path] = content(tensors);
      for (const { name, bytes } of tensors) {
        weightMap[name] = path;
        total += bytes.byteLength;
      }
    }
    const index = { metadata: { total_size: total }, weight_map: weightMap };
    files['model.safetensors.index.json'] = `${JSON.stringify(index, null, 2)}\n`;
    return files;
  }
}

const padded = (number: number): string => String(number).padStart(5, '0');

/**
 * config.json with a quantization_config, put into its text: read and written again, 1.0 would become 1, which
 * transformers refuses where it asks for a float.
 */
function configWith(
  text: string,
  { config, options, place }: { config: unknown; options: Omit<QuantizeOptions, 'name'>; place: string },
): string {
  const { quantType = 'nf4', doubleQuant = true } = options;
  if (quantType !== 'nf4' && quantType !== 'fp4') {
    throw new QuantError(
      'BAD_ARGUMENT',
      `quantType is ${quantType}, which bitsandbytes does not know; it has nf4 and fp4`,
    );
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new QuantError('BAD_ARGUMENT', `${place}: config.json is no object, so it is no model's`);
  }
  if (Object.hasOwn(config, 'quantization_config')) {
    throw new QuantError('BAD_ARGUMENT', `${place} is quantised already: quantise the model that it was made from`);
  }
  const lines = [
    `"_load_in_4bit": true`,
    `"_load_in_8bit": false`,
    `"bnb_4bit_compute_dtype": "float32"`,
    `"bnb_4bit_quant_storage": "uint8"`,
    `"bnb_4bit_quant_type": "${quantType}"`,
    `"bnb_4bit_use_double_quant": ${doubleQuant}`,
    `"llm_int8_enable_fp32_cpu_offload": false`,
    `"llm_int8_has_fp16_weight": false`,
    `"llm_int8_skip_modules": null`,
    `"llm_int8_threshold": ${pythonFloat(6)}`,
    `"load_in_4bit": true`,
    `"load_in_8bit": false`,
    `"quant_method": "bitsandbytes"`,
  ];
  const end = text.lastIndexOf('}');
  const comma = Object.keys(config).length > 0 ? ',' : '';
  return `${text.slice(0, end).trimEnd()}${comma}\n  "quantization_config": {\n    ${lines.join(',\n    ')}\n  }\n}\n`;
}
