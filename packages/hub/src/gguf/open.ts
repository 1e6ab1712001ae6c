import { type ReadBudget } from '@qlora-js/read-budget';
import { HubError, readBudget } from '../error';
import { type ByteSource } from '../files/byte-source';
import { type OpenOptions, unknownTensor } from '../safetensors/open';
import { type StoredTensor, type TensorFile } from '../tensor';
import { GgufEnded } from './cursor';
import { type GgufHeader, type GgufTensorInfo, parseGgufHeader } from './header';
import { ggufLayouts } from './tensor-types';

/** An opened GGUF file: the header is in memory, tensors are read one by one. */
export interface GgufFile extends TensorFile, GgufHeader {
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  /** `general.architecture`: llama, qwen2, ... */
  readonly architecture: string;
}

/** Headers hold the vocabulary, some megabytes; they say their length nowhere. */
const FIRST_READ = 2 ** 20;
const LONGEST_HEADER = 2 ** 28;

const layouts = new Map([...ggufLayouts.values()].map((layout) => [layout.name, layout]));

/**
 * Opens a GGUF file, as llama.cpp has models. Reads the header alone and checks all of it. Tensors have llama.cpp's
 * names and row order (`ggufFiles` gives Hugging Face's), shapes as in Python, slowest dimension first; those of 8, 6 and
 * 4 bits are read as float32, to the bit as PyPI's gguf has them.
 *
 * Throws `HubError` `CORRUPT_FILE`, `TRUNCATED_FILE`, `OVER_BUDGET`, or `UNSUPPORTED` for another type of tensor.
 */
export async function openGguf(source: ByteSource, options: OpenOptions = {}): Promise<GgufFile> {
  return openGgufWithin(source, readBudget(options.limits));
}

/** The same, within a budget that other files share. */
async function openGgufWithin(source: ByteSource, budget: ReadBudget): Promise<GgufFile> {
  const { metadata, tensors } = await readHeader(source, budget);
  const architecture = metadata.get('general.architecture');
  if (typeof architecture !== 'string') {
    throw new HubError(
      'CORRUPT_FILE',
      `${source.name} does not say its architecture: it is no model. Fetch it again.`,
      {
        place: source.name,
      },
    );
  }
  return {
    name: source.name,
    architecture,
    metadata,
    tensors,
    read: async (name) => {
      const info = tensors.get(name);
      if (info === undefined) throw unknownTensor(source.name, name);
      return decoded(name, info, await source.read(info.byteOffset, info.storedBytes));
    },
  };
}

async function readHeader(source: ByteSource, budget: ReadBudget): Promise<GgufHeader> {
  const longest = Math.min(source.size, LONGEST_HEADER);
  for (let length = Math.min(FIRST_READ, longest); ; length = Math.min(4 * length, longest)) {
    const account = budget.document(source.name, length);
    try {
      return parseGgufHeader(await source.read(0, length), source.size, account);
    } catch (error) {
      if (!(error instanceof GgufEnded) || length === longest) throw error;
      account.release();
    }
  }
}

function decoded(name: string, info: GgufTensorInfo, bytes: Uint8Array): StoredTensor {
  const { dtype, shape, byteLength, storedAs } = info;
  const { dequantize } = layouts.get(storedAs)!;
  if (dequantize === undefined) return { name, dtype, shape, bytes };
  const values = new Float32Array(byteLength / 4);
  dequantize(bytes, values);
  return { name, dtype, shape, bytes: new Uint8Array(values.buffer) };
}
