import { embeddedBase, EMBEDDED_BASE, openBase, type BaseModel, type FineTuneSettings } from '@qlora-js/finetune';
import type { BaseSource } from './protocol';

/** Bytes of a file that have come; `total` is undefined where the server does not say. */
export type BaseProgress = (path: string, loaded: number, total: number | undefined) => void;

/** Opens the base that a page's visitor has chosen. */
export async function openPageBase(
  _source: BaseSource,
  padding: FineTuneSettings['padding'],
  onProgress?: BaseProgress,
): Promise<BaseModel> {
  return openBase(await embeddedBase({ onProgress }), { id: EMBEDDED_BASE, padding });
}
