import { adapterFolder, FINAL_ADAPTER, type FineTuneContext, type RunReport } from '@qlora-js/finetune';
import { zipFolder } from './zip';

/** A trained adapter with its card and all that using it elsewhere takes, as a zip file. */
export async function zipAdapter(context: FineTuneContext, report: RunReport): Promise<Uint8Array<ArrayBuffer>> {
  return zipFolder(await adapterFolder(context, FINAL_ADAPTER, report));
}
