import type { FineTuneContext } from '../run/context';
import { headLabels } from '../task/head';
import { CONFIG, classifierConfig, RUN, type SavedClassifier } from './classifier-config';
import { runtimeVersions } from './report';
import { VERSION } from '../version';

/** Files by name, as they lie in the adapter's folder. */
export type AdapterFolder = Readonly<Record<string, Uint8Array | string>>;

/** What stands beside an adapter's weights from a training's first checkpoint on: tokenizer, labels, how it is made. */
export async function describingFiles({
  base,
  data,
  settings,
  splits,
}: Pick<FineTuneContext, 'base' | 'data' | 'settings' | 'splits'>): Promise<AdapterFolder> {
  const classifier: SavedClassifier = {
    labelMap: headLabels(data),
    task: data.task,
    maxLength: settings.padding.maxLength,
    quantization: settings.quantization,
    seed: settings.seed,
  };
  const { labelMap: _, ...described } = classifier;
  const rows = { train: splits.train.numRows, validation: splits.validation.numRows, test: splits.test.numRows };
  const run = {
    base: { id: base.id, revision: base.revision ?? null },
    data: { name: data.name, columns: data.columns, notes: data.notes, rows },
    classifier: described,
    settings,
    versions: { 'qlora.js': VERSION, ...runtimeVersions() },
  };
  return {
    ...base.tokenizer.save(),
    [CONFIG]: await classifierConfig(base, classifier),
    [RUN]: `${JSON.stringify(run, null, 2)}\n`,
  };
}
