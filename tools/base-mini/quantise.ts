import { openCheckpoint, toFloat32, type ModelFiles, type StoredTensor } from '@qlora-js/hub';
import { folderFiles } from '@qlora-js/hub/node';
import { quantizeArray, quantStateToTensors } from '@qlora-js/quant';

/** GPT-2's Conv1D layers store [in, out]; bitsandbytes' blocks run along [out, in]. */
const CONV1D = /^transformer\.h\.\d+\.(attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.weight$/;
const EMBEDDING = 'transformer.wte.weight';

/** NF4, blocks of 64, double quantisation: what QLoRA trains on. */
const OPTIONS = { quantType: 'nf4', blocksize: 64, doubleQuant: true } as const;

/** The tensors of a GPT-2 with blocks and embedding in 4 bits; the rest stays as it is stored. */
export async function quantiseGpt2(files: ModelFiles): Promise<StoredTensor[]> {
  const checkpoint = await openCheckpoint(files);
  const tensors: StoredTensor[] = [];
  for (const name of checkpoint.names()) {
    const stored = await checkpoint.read(name);
    if (CONV1D.test(name)) {
      const [inFeatures = 0, outFeatures = 0] = stored.shape;
      tensors.push(
        ...quantised(name, transposed(toFloat32(stored), inFeatures, outFeatures), [outFeatures, inFeatures]),
      );
    } else if (name === EMBEDDING) {
      tensors.push(...quantised(name, toFloat32(stored), stored.shape));
    } else {
      tensors.push(stored);
    }
  }
  return tensors;
}

function quantised(name: string, values: Float32Array, shape: readonly number[]): StoredTensor[] {
  return quantStateToTensors(name, quantizeArray(values, shape, { ...OPTIONS, name })) as StoredTensor[];
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** `quantiseGpt2` of a folder. */
export async function quantiseFolder(path: string): Promise<StoredTensor[]> {
  return quantiseGpt2(await folderFiles(path));
}

/** All tensors of a model as they are stored. */
export async function storedTensors(files: ModelFiles): Promise<StoredTensor[]> {
  const checkpoint = await openCheckpoint(files);
  return Promise.all(checkpoint.names().map((name) => checkpoint.read(name)));
}
