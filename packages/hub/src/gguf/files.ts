import { HubError } from '../error';
import { type Checkpoint } from '../checkpoint/checkpoint';
import { type ByteSource } from '../files/byte-source';
import { type FilesOptions, memoryFiles, type ModelFiles } from '../files/model-files';
import { unknownTensor } from '../safetensors/open';
import { huggingFaceName, knownArchitecture, unpermutedRows } from './architecture';
import { ggufConfig } from './config';
import { type GgufFile, openGguf } from './open';

/** A model in one GGUF file, as the files that transformers would have of it. */
export interface GgufModelFiles extends ModelFiles {
  /** The file itself: metadata, vocabulary, tensors by llama.cpp's names. */
  readonly gguf: GgufFile;
}

/**
 * A GGUF file as a model's files: `config.json` is made of its metadata, and `openCheckpoint` finds its tensors by
 * transformers' names, with the rows of q and k in transformers' order. For llama, mistral, qwen2 and qwen3; throws
 * `HubError` as `openGguf` and `ggufConfig` do. The vocabulary: `ggufTokenizer(files.gguf)`.
 */
export async function ggufFiles(source: ByteSource, options: FilesOptions = {}): Promise<GgufModelFiles> {
  const gguf = await openGguf(source, options);
  const config = await ggufConfig(gguf);
  const files = memoryFiles(source.name, { 'config.json': JSON.stringify(config) }, options);
  return { ...files, gguf, openWeights: async () => ggufCheckpoint(gguf, config) };
}

function ggufCheckpoint(file: GgufFile, config: Record<string, unknown>): Checkpoint {
  const { permuted } = knownArchitecture(file.architecture, file.name);
  const stored = new Map<string, string>();
  for (const name of file.tensors.keys()) {
    // What it says is in the config.
    if (name === 'rope_freqs.weight') continue;
    const renamed = huggingFaceName(name);
    const other = stored.get(renamed);
    if (other !== undefined) {
      throw new HubError('CORRUPT_FILE', `${file.name} has ${renamed} twice, as ${other} and as ${name}`, {
        place: file.name,
        value: renamed,
      });
    }
    stored.set(renamed, name);
  }
  const storedName = (name: string): string => {
    const found = stored.get(name);
    if (found === undefined) throw unknownTensor(file.name, name);
    return found;
  };
  const headsOf = (name: string): number | undefined => {
    if (!permuted) return undefined;
    if (/\.q_proj\.(weight|bias)$/.test(name)) return config['num_attention_heads'] as number;
    return /\.k_proj\.(weight|bias)$/.test(name) ? (config['num_key_value_heads'] as number) : undefined;
  };
  return {
    id: file.name,
    format: 'gguf',
    files: [file.name],
    others: [],
    names: () => [...stored.keys()],
    has: (name) => stored.has(name),
    info: (name) => {
      const { dtype, shape, byteLength } = file.tensors.get(storedName(name))!;
      return { dtype, shape, byteLength };
    },
    read: async (name) => {
      const { dtype, shape, bytes } = await file.read(storedName(name));
      const heads = headsOf(name);
      if (heads === undefined) return { name, dtype, shape, bytes };
      const rows = shape[0] ?? 0;
      if (rows % (2 * heads) !== 0) {
        throw new HubError(
          'CORRUPT_FILE',
          `${file.name}: ${name} has ${rows} rows for ${heads} heads. Fetch it again.`,
          {
            place: file.name,
            value: rows,
          },
        );
      }
      return { name, dtype, shape, bytes: rows === 0 ? bytes : unpermutedRows(bytes, { rows, heads }) };
    },
  };
}
