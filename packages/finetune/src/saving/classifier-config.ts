import { LabelMap, TASKS, type Task } from '@qlora-js/data';
import type { ModelFiles } from '@qlora-js/hub';
import type { BaseModel } from '../base/base';
import { FinetuneError } from '../errors';
import type { QuantizationSettings } from '../model/settings';

/** What labelling texts with a saved adapter needs beside its weights. */
export interface SavedClassifier {
  /** Labels in the order of their ids; of a regression the name of its number. */
  readonly labelMap: LabelMap;
  /** What was learned. */
  readonly task: Task;
  /** Tokens that texts were cut to. */
  readonly maxLength: number;
  /** How the base's weights were kept. */
  readonly quantization: QuantizationSettings | null;
  /** Seed that a head of the base would start from. */
  readonly seed: number;
}

/** The model's config as transformers reads it. */
export const CONFIG = 'config.json';
/** How the adapter was made; what labelling needs is in it. */
export const RUN = 'run.json';

/** The base's config.json with the labels in it: `AutoConfig.from_pretrained` of the adapter's folder gives the right head. */
export async function classifierConfig(
  { files, family, padTokenId }: Pick<BaseModel, 'files' | 'family' | 'padTokenId'>,
  { labelMap, task }: SavedClassifier,
): Promise<string> {
  const config = (await files.json(CONFIG)) as Record<string, unknown>;
  // A base's own quantisation is its matter, not the adapter's.
  const { quantization_config: _, ...rest } = config;
  const labelled = {
    ...rest,
    architectures: [family.classifierClass],
    id2label: labelMap.id2label,
    label2id: labelMap.label2id,
    problem_type: task,
    pad_token_id: padTokenId,
  };
  return `${JSON.stringify(labelled, null, 2)}\n`;
}

/**
 * Reads what a saved adapter says about its labels.
 * @throws FinetuneError `BAD_ADAPTER` naming the file and what it lacks
 */
export async function readSavedClassifier(files: ModelFiles): Promise<SavedClassifier> {
  for (const name of [CONFIG, RUN]) {
    if (await files.has(name)) continue;
    throw new FinetuneError('BAD_ADAPTER', `${files.id} has no ${name}: it is not a folder that a fine-tuning saved`);
  }
  const config = (await files.json(CONFIG)) as Readonly<Record<string, unknown>> | null;
  const { id2label } = config ?? {};
  if (typeof id2label !== 'object' || id2label === null)
    throw new FinetuneError('BAD_ADAPTER', `${files.id}/${CONFIG} has no id2label: the adapter's labels have no names`);
  const run = (await files.json(RUN)) as { readonly classifier?: unknown } | null;
  const settings = run?.classifier;
  if (!isSettings(settings))
    throw new FinetuneError('BAD_ADAPTER', `${files.id}/${RUN} is not what a fine-tuning writes`);
  return { ...settings, labelMap: LabelMap.fromId2Label(id2label as Record<string, unknown>) };
}

function isSettings(json: unknown): json is Omit<SavedClassifier, 'labelMap'> {
  if (typeof json !== 'object' || json === null) return false;
  const { task, maxLength, quantization, seed } = json as Record<string, unknown>;
  return (
    TASKS.includes(task as Task) &&
    [maxLength, seed].every((value) => Number.isInteger(value)) &&
    (quantization === null || isQuantization(quantization))
  );
}

/** Whether this is how a base's weights may be kept. */
export function isQuantization(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  const { quantType, blocksize, doubleQuant } = json as Record<string, unknown>;
  return (
    ['nf4', 'fp4', 'int4'].includes(quantType as string) &&
    Number.isInteger(blocksize) &&
    typeof doubleQuant === 'boolean'
  );
}
