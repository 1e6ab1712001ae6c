import { adapterFiles } from '@qlora-js/lora';
import type { FineTuneContext } from '../run/context';
import { describingFiles, type AdapterFolder } from './describing-files';
import { modelCard } from './model-card';
import type { RunReport } from './report';

/** Every figure of the run. */
export const METRICS = 'metrics.json';

/**
 * All that using the adapter elsewhere takes: PEFT's files with the base's id and revision, the tokenizer, a config with the
 * labels, how it was made, its figures, its card.
 */
export async function adapterFolder(
  context: FineTuneContext,
  adapterName: string,
  report: RunReport,
): Promise<AdapterFolder> {
  return {
    ...(await adapterFiles(context.model, adapterName)),
    ...(await describingFiles(context)),
    [METRICS]: `${JSON.stringify(report, null, 2)}\n`,
    'README.md': modelCard(context, report),
  };
}
