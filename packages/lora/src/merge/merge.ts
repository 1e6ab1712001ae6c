import { tensor2d, type Tensor2D } from '@tensorflow/tfjs-core';
import { Linear, type LinearLayer, type Module } from '@qlora-js/kernels';
import { LoraError } from '../errors';
import { LoraLinear } from '../layers/lora-linear';
import { biasCopy, ModulesToSaveLinear } from '../layers/modules-to-save';
import type { PeftModel } from '../model/peft-model';

/** The weight [outFeatures, inFeatures] a layer had before it was quantised, by the layer's name. */
export type OriginalWeights = (name: string) => Promise<Float32Array> | Float32Array;

export interface MergeOptions {
  /** Dense float32 layers, or layers of the base's kind (4-bit ones are quantised anew, which rounds). */
  readonly into: 'dense' | 'base-kind';
  /**
   * What the update is added to: what the 4-bit weights decode to, which is what the adapter was trained on, or the
   * weights from before quantisation. Neither gives the adapter's own logits exactly once the sum is rounded; which one
   * is meant is the caller's to say.
   */
  readonly base: 'decoded' | OriginalWeights;
  /** Default: the active adapters. */
  readonly adapterNames?: readonly string[];
}

/** One merged layer and what was there before. */
interface Replacement {
  readonly path: string;
  readonly before: LinearLayer;
}

/** A merge that can be taken back: the adapters and the base's weights are kept as they were. */
export class MergedModel {
  constructor(
    private readonly model: PeftModel,
    private readonly replaced: readonly Replacement[],
  ) {}

  /** Puts the base and the adapters back, exactly. */
  unmerge(): void {
    for (const { path, before } of this.replaced) this.model.base.replaceModule(path, before).dispose();
  }

  /** Frees the adapters and the unmerged base; what is left is the plain model. */
  unload<Base extends Module>(): Base {
    for (const { before } of this.replaced) before.dispose();
    return this.model.base as Base;
  }
}

/** Adds the adapters into the layers' weights; the model then computes without them until `unmerge`. */
export async function mergeAdapters(model: PeftModel, options: MergeOptions): Promise<MergedModel> {
  const { into, base, adapterNames = model.activeAdapters } = options;
  if (adapterNames.length === 0)
    throw new LoraError('BAD_ARGUMENT', 'there is nothing to merge: no adapter is active or named');
  adapterNames.forEach((name) => model.config(name));
  const replaced: Replacement[] = [];
  for (const [path, module] of [...model.base.namedModules()]) {
    const merged =
      module instanceof LoraLinear
        ? await mergedLayer(module, path, { into, base, adapterNames })
        : savedCopy(module, adapterNames);
    if (merged === undefined) continue;
    replaced.push({ path, before: model.base.replaceModule(path, merged) as LinearLayer });
  }
  return new MergedModel(model, replaced);
}

/** Merges for good and returns the plain model, as PEFT's merge_and_unload. */
export async function mergeAndUnload<Base extends Module>(
  model: PeftModel<Base>,
  options: MergeOptions,
): Promise<Base> {
  return (await mergeAdapters(model, options)).unload<Base>();
}

async function mergedLayer(
  layer: LoraLinear,
  path: string,
  { into, base, adapterNames }: Required<MergeOptions>,
): Promise<LinearLayer> {
  const weight = base === 'decoded' ? layer.base.denseWeight() : await original(base, path, layer);
  const merged = layer.mergedWeight(weight, adapterNames);
  weight.dispose();
  if (into === 'dense') {
    const dense = new Linear(merged, biasCopy(layer.base));
    dense.storedLayout = layer.storedLayout;
    return dense;
  }
  const requantised = layer.base.withWeight(merged);
  merged.dispose();
  return requantised;
}

async function original(
  weights: OriginalWeights,
  path: string,
  { outFeatures, inFeatures }: LoraLinear,
): Promise<Tensor2D> {
  const values = await weights(path);
  if (values.length !== outFeatures * inFeatures) {
    throw new LoraError(
      'BAD_ARGUMENT',
      `the original weight of '${path}' has ${values.length} elements, but [${outFeatures}, ${inFeatures}] is needed`,
    );
  }
  return tensor2d(values, [outFeatures, inFeatures]);
}

function savedCopy(module: Module, names: readonly string[]): LinearLayer | undefined {
  if (!(module instanceof ModulesToSaveLinear)) return undefined;
  const copy = names.map((name) => module.copy(name)).find((layer) => layer !== undefined);
  if (copy === undefined) return undefined;
  const weight = copy.denseWeight();
  const merged = copy.withWeight(weight);
  weight.dispose();
  return merged;
}
