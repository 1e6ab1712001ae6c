import { embeddedBase, EMBEDDED_BASE, openBase, type BaseModel, type FineTuneSettings } from '@qlora-js/finetune';
import { memoryFiles, type ModelFiles } from '@qlora-js/hub';
import type { BaseSource } from './protocol';

/** Bytes of a file that have come; `total` is undefined where the server does not say. */
export type BaseProgress = (path: string, loaded: number, total: number | undefined) => void;

/** Opens the base that a page's visitor has chosen. */
export async function openPageBase(
  source: BaseSource,
  padding: Pick<FineTuneSettings['padding'], 'maxLength' | 'paddingSide'>,
  onProgress?: BaseProgress,
): Promise<BaseModel> {
  if (source.kind === 'embedded') {
    return openBase(await embeddedBase({ onProgress }), { id: EMBEDDED_BASE, padding });
  }
  const { id, revision, files } = source;
  const [path, ...others] = Object.keys(files);
  const isGguf = others.length === 0 && path?.endsWith('.gguf') === true;
  return openBase(isGguf ? await ggufModel(files[path]!, path) : memoryFiles(id, files), { id, revision, padding });
}

async function ggufModel(file: Blob, name: string): Promise<ModelFiles> {
  const { openGgufModel } = await import('./gguf-model');
  return openGgufModel(file, name);
}
