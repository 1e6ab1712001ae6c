import { memoryFiles, openCheckpoint, type ModelFiles, type StoredTensor } from '@qlora-js/hub';
import { folderFiles } from '@qlora-js/hub/node';
import { quantizeCheckpoint } from '@qlora-js/quant';

/**
 * The weights of the small base: NF4, blocks of 64, double quantisation, what QLoRA trains on; the embedding too, which
 * is a third of the model.
 */
export async function quantisedWeights(files: ModelFiles): Promise<Uint8Array> {
  const made = await quantizeCheckpoint(files, { embedding: true });
  return made['model.safetensors'] as Uint8Array;
}

/** The tensors of `quantisedWeights` of a folder. */
export async function quantiseFolder(path: string): Promise<StoredTensor[]> {
  const weights = await quantisedWeights(await folderFiles(path));
  return storedTensors(memoryFiles(path, { 'model.safetensors': weights }));
}

/** All tensors of a model as they are stored. */
export async function storedTensors(files: ModelFiles): Promise<StoredTensor[]> {
  const checkpoint = await openCheckpoint(files);
  return Promise.all(checkpoint.names().map((name) => checkpoint.read(name)));
}
