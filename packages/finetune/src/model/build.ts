import type { Device } from '@qlora-js/kernels';
import { PeftModel, prepareModelForKbitTraining } from '@qlora-js/lora';
import type { BaseModel } from '../base/base';
import type { ClassifierModel } from '../base/families';
import type { Output, ProgressBar } from '../run/output';
import type { QuantizationSettings } from './settings';

/** What a model is built for. */
export interface BuildOptions {
  /** Labels of the head. */
  readonly numLabels: number;
  /** Seed of the head's starting values. */
  readonly seed: number;
  /** How the base's weights are kept; null for float32. */
  readonly quantization: QuantizationSettings | null;
  /** Where it computes. */
  readonly device: Device;
  /** Where progress and warnings go. */
  readonly output: Output;
}

/** Reads the base's weights, quantised as they come, under a head, frozen and ready for adapters. */
export async function buildClassifier(base: BaseModel, options: BuildOptions): Promise<PeftModel<ClassifierModel>> {
  const { output, ...load } = options;
  let bar: ProgressBar | undefined;
  try {
    const { model, report } = await base.family.classifier(base.files, {
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
