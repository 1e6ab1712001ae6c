import { join } from 'node:path';
import { writeFileAtomic } from '@qlora-js/hub/node';
import { describeParameters } from '@qlora-js/finetune';
import type { TextDataset } from '@qlora-js/data';
import { searchClassifier } from '@qlora-js/finetune/node';
import { stopOnSignals } from '@qlora-js/trainer/node';
import { UsageError } from '../errors';
import type { TrainValues } from '../options/train-options';
import { fineTuneOptions, requiredData, type TrainOptions } from './train';

/** File with the best parameters in a run's folder, which `train --config` takes. */
const BEST_PARAMETERS = 'best-parameters.json';

/** What a search learns from. @throws UsageError where it can't be searched for, nothing is named, or options don't go together */
export async function searchedData(
  values: TrainValues,
  { findData }: Pick<TrainOptions, 'findData'>,
): Promise<string | TextDataset> {
  if (values.trials === 0) throw new UsageError('USAGE', '--trials is 0, but a search needs 1 or more');
  if (values.task === 'causal-lm')
    throw new UsageError(
      'USAGE',
      'search knows tasks with labels or numbers; qlora train --trials searches for causal-lm',
    );
  return requiredData(values, { findData });
}

/** Searches, and writes the best parameters as a file that a training takes. */
export async function search(values: TrainValues, options: TrainOptions): Promise<void> {
  const { output, command } = options;
  const data = await searchedData(values, options);
  output.section('Environment');
  const found = await stopOnSignals(
    (signal) => searchClassifier({ ...fineTuneOptions(values, { data, command }), log: output, signal }),
    { log: (line) => output.warn(line) },
  );
  if (found === undefined) return;
  output.line(
    `best trial: ${found.goal.metric} ${found.bestValue.toFixed(4)} with ${describeParameters(found.parameters)}`,
  );
  const file = join(values.outputDir, BEST_PARAMETERS);
  await writeFileAtomic(file, `${JSON.stringify(found.parameters, null, 2)}\n`);
  output.line(`train with them by --config ${file}`);
  if (values.json) console.log(JSON.stringify(found));
}
