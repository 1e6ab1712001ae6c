import { blobSource, ggufFiles, type ModelFiles } from '@qlora-js/hub';

/** A model in one GGUF file. In a module of its own, which loads with the first such file. */
export function openGgufModel(file: Blob, name: string): Promise<ModelFiles> {
  return ggufFiles(blobSource(file, name));
}
