import type { CausalLanguageModel } from '@qlora-js/gpt2';
import type { Device, Module } from '@qlora-js/kernels';
import { PeftModel, prepareModelForKbitTraining } from '@qlora-js/lora';
import type { BaseModel } from '../base/base';
import type { ClassifierModel, LoadedModel, LoadModel } from '../base/family';
import type { Output, ProgressBar } from '../run/output';
import type { QuantizationSettings } from './settings';

/** What a model is built for. */
export interface BuildModelOptions {
  /** Seed of what the checkpoint does not have. */
  readonly seed: number;
  /** How the base's weights are kept; null for float32. */
  readonly quantization: QuantizationSettings | null;
  /** Where it computes. */
  readonly device: Device;
  /** Where progress and warnings go. */
  readonly output: Output;
}

/** What a classifier is built for. */
export interface BuildOptions extends BuildModelOptions {
  /** Labels of the head. */
  readonly numLabels: number;
}

/** Reads the base's weights, quantised as they come, under a head for labels or numbers, frozen and ready for adapters. */
export function buildClassifier(
  base: BaseModel,
  { numLabels, ...options }: BuildOptions,
): Promise<PeftModel<ClassifierModel>> {
  return build(options, (load) => base.family.classifier(base.files, { ...load, numLabels }));
}

/** The same under a head that scores the vocabulary. */
export function buildLanguageModel(
  base: BaseModel,
  options: BuildModelOptions,
): Promise<PeftModel<CausalLanguageModel>> {
  return build(options, (load) => base.family.languageModel(base.files, load));
}

async function build<Model extends Module>(
  { output, ...load }: BuildModelOptions,
  read: (load: LoadModel) => Promise<LoadedModel<Model>>,
): Promise<PeftModel<Model>> {
  let bar: ProgressBar | undefined;
  try {
    const { model, report } = await read({
      ...load,
      onWeight: (done, total, name) => (bar ??= output.bar('load', total)).update(done, name),
    });
    if (report.newlyInitialized.length > 0)
      output.line(`newly initialised, to be trained: ${report.newlyInitialized.join(', ')}`);
    if (report.unexpected.length > 0) output.warn(`left out of the checkpoint: ${report.unexpected.join(', ')}`);
    prepareModelForKbitTraining(model, { useGradientCheckpointing: false });
    return new PeftModel(model);
  } finally {
    bar?.stop();
  }
}
