import type { ModelFiles } from '@qlora-js/hub';
import { resolveModel } from '@qlora-js/hub/node';
import {
  loadGpt2ForSequenceClassification,
  loadReportLines,
  readGpt2Config,
  type GPT2ForSequenceClassification,
} from '@qlora-js/gpt2';
import type { Device } from '@qlora-js/kernels';
import { loraConfig, type LoraConfig } from '@qlora-js/lora';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
import { UsageError, type RunOptions } from '../cli/options';
import type { Output } from '../terminal/output';

/** A base model's files and what has to be known of it before its weights are read. */
export interface Base {
  readonly id: string;
  readonly files: ModelFiles;
  readonly tokenizer: GPT2Tokenizer;
  readonly padTokenId: number;
}

/** Name of the embedded base in adapter configs. */
export const EMBEDDED_BASE = '@qlora-js/base-mini';

/** Finds a base by folder or hub id, or the embedded one, and checks that texts of `maxLength` tokens fit it. */
export async function openBase(
  idOrPath: string | undefined,
  maxLength: number,
  paddingSide: 'right' | 'left',
): Promise<Base> {
  const files =
    idOrPath === undefined || idOrPath === EMBEDDED_BASE ? await embeddedBase() : await resolveModel(idOrPath);
  const config = await readGpt2Config(files);
  if (maxLength > config.nPositions) {
    throw new UsageError(
      `--max-length ${maxLength} is over the ${config.nPositions} positions of ${files.id}; choose ${config.nPositions} or less`,
    );
  }
  const tokenizer = await GPT2Tokenizer.load(files);
  if (tokenizer.length > config.vocabSize) {
    throw new UsageError(
      `the vocabulary of ${files.id} has ${tokenizer.length} tokens, but its embedding has ${config.vocabSize} rows: tokenizer and model do not belong together`,
    );
  }
  tokenizer.padToken ??= tokenizer.eosToken;
  tokenizer.paddingSide = paddingSide;
  const padTokenId = tokenizer.padTokenId;
  if (padTokenId === undefined) throw new UsageError(`${files.id} has neither a padding nor an end-of-text token`);
  return { id: idOrPath ?? EMBEDDED_BASE, files, tokenizer, padTokenId };
}

async function embeddedBase(): Promise<ModelFiles> {
  const { baseMiniFiles } = await import('@qlora-js/base-mini');
  return baseMiniFiles();
}

export interface BuildOptions {
  readonly quantType: RunOptions['quantType'];
  readonly blocksize: number;
  readonly doubleQuant: boolean;
  readonly seed: number;
}

/** Reads the base's weights, quantised as they come, under a head for `numLabels`. */
export async function buildClassifier(
  base: Base,
  numLabels: number,
  options: BuildOptions,
  { device, output }: { readonly device: Device; readonly output: Output },
): Promise<GPT2ForSequenceClassification> {
  const { quantType, blocksize, doubleQuant, seed } = options;
  const bar = output.bar('load', 1);
  const { model, report } = await loadGpt2ForSequenceClassification(base.files, {
    numLabels,
    seed,
    quantization: quantType === 'none' ? null : { quantType, blocksize, doubleQuant },
    // Where products are in float16, so is what they begin from.
    embeddingDtype: device.info.computeDtype,
    onWeight: (done, total, name) => bar.update(done / total, name),
  });
  bar.stop();
  for (const line of loadReportLines(report)) output.line(line);
  return model;
}

/** The adapter a run trains. */
export function adapterConfig(base: Base, options: RunOptions): LoraConfig {
  return loraConfig({
    r: options.loraR,
    loraAlpha: options.loraAlpha,
    loraDropout: options.loraDropout,
    targetModules: options.targetModules,
    useRslora: options.useRslora,
    useDora: options.useDora,
    bias: 'none',
    taskType: 'SEQ_CLS',
    baseModelNameOrPath: base.id,
  });
}
