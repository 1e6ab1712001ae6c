import { type ReadBudget, type ReadLimits, shown } from '@qlora-js/read-budget';
import { HubError, readBudget } from '../error';
import { type ByteSource } from '../files/byte-source';
import { type TensorFile } from '../tensor';
import { headerLength, lengthBytes, parseHeader, type SafetensorsTensorInfo } from './header';

/** An opened safetensors file: the header is in memory, tensors are read one by one. */
export interface SafetensorsFile extends TensorFile {
  readonly tensors: ReadonlyMap<string, SafetensorsTensorInfo>;
  /** The header's `__metadata__`, empty where there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** How a file is opened. */
export interface OpenOptions {
  /** What reading it may cost in memory and work, besides what its length allows. */
  readonly limits?: ReadLimits;
}

/**
 * Opens a safetensors file (format: https://huggingface.co/docs/safetensors). Reads the header alone and checks all of
 * it, so that no later read can leave its tensor. Throws `HubError` `CORRUPT_FILE`, `TRUNCATED_FILE`, `UNSUPPORTED`
 * or `OVER_BUDGET`.
 */
export async function openSafetensors(source: ByteSource, options: OpenOptions = {}): Promise<SafetensorsFile> {
  return openSafetensorsWithin(source, readBudget(options.limits));
}

/** The same, within a budget that other files share. */
export async function openSafetensorsWithin(source: ByteSource, budget: ReadBudget): Promise<SafetensorsFile> {
  if (source.size < lengthBytes) {
    throw new HubError('TRUNCATED_FILE', `${source.name}: ${source.size} bytes are too few for a safetensors file`, {
      place: source.name,
    });
  }
  const length = headerLength(await source.read(0, lengthBytes), source.size, source.name);
  const account = budget.document(source.name, length);
  const { metadata, tensors } = parseHeader(await source.read(lengthBytes, length), source.size, account);
  return {
    name: source.name,
    metadata,
    tensors,
    read: async (name) => {
      const info = tensors.get(name);
      if (info === undefined) throw unknownTensor(source.name, name);
      const bytes = await source.read(info.byteOffset, info.byteLength);
      return { name, dtype: info.dtype, shape: info.shape, bytes };
    },
  };
}

export function unknownTensor(place: string, name: string): HubError {
  return new HubError('UNKNOWN_TENSOR', `${place} has no tensor ${shown(name)}`, { place, value: name });
}
