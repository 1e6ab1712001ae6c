import { join } from 'node:path';
import { LabelMap } from '@qlora-js/data';
import type { ModelFiles } from '@qlora-js/hub';
import { ensureWritableFolder, writeFileAtomic } from '@qlora-js/hub/node';
import { adapterFiles } from '@qlora-js/lora';
import { UsageError } from '../cli/options';
import type { RunContext } from './context';

/** Names of the labels and how texts are prepared: what PEFT's files do not say. */
const CLASSIFIER = 'classifier.json';

export interface ClassifierSettings {
  readonly labels: readonly string[];
  readonly maxLength: number;
  readonly quantType: 'nf4' | 'fp4' | 'int4' | 'none';
  readonly blocksize: number;
  readonly doubleQuant: boolean;
  readonly seed: number;
}

/** Writes PEFT's adapter files, the tokenizer's, and the label names; each file whole or not at all. */
export async function saveAdapter(context: RunContext, adapterName: string): Promise<string[]> {
  const { options, model, base, labelMap } = context;
  const settings: ClassifierSettings = {
    labels: labelMap.names,
    maxLength: options.maxLength,
    quantType: options.quantType,
    blocksize: options.blocksize,
    doubleQuant: options.doubleQuant,
    seed: options.seed,
  };
  const files: Record<string, Uint8Array | string> = {
    ...(await adapterFiles(model, adapterName)),
    ...base.tokenizer.save(),
    [CLASSIFIER]: `${JSON.stringify(settings, null, 2)}\n`,
  };
  await ensureWritableFolder(options.outputDir);
  for (const [name, content] of Object.entries(files)) await writeFileAtomic(join(options.outputDir, name), content);
  return Object.keys(files);
}

export async function readClassifierSettings(
  files: ModelFiles,
): Promise<{ settings: ClassifierSettings; labelMap: LabelMap }> {
  if (!(await files.has(CLASSIFIER))) {
    throw new UsageError(`${files.id} has no ${CLASSIFIER}; predict reads folders that a run saved`);
  }
  const json = await files.json(CLASSIFIER);
  if (!isSettings(json)) throw new UsageError(`${files.id}/${CLASSIFIER} is not what a run writes`);
  return { settings: json, labelMap: LabelMap.fromNames([...json.labels]) };
}

function isSettings(json: unknown): json is ClassifierSettings {
  if (typeof json !== 'object' || json === null) return false;
  const { labels, maxLength, quantType, blocksize, doubleQuant, seed } = json as Record<string, unknown>;
  return (
    Array.isArray(labels) &&
    labels.every((label) => typeof label === 'string') &&
    [maxLength, blocksize, seed].every((value) => Number.isInteger(value)) &&
    ['nf4', 'fp4', 'int4', 'none'].includes(quantType as string) &&
    typeof doubleQuant === 'boolean'
  );
}
