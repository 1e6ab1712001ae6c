import { norm, sub, tidy } from '@tensorflow/tfjs-core';
import { LoraLinear } from '../layers/lora-linear';
import type { PeftModel } from './peft-model';

/** How far an adapter moves a layer. */
export interface AdapterNorm {
  /** Path of the layer in the base. */
  readonly layer: string;
  /** Frobenius norm of what merging the adapter would add to the weight: of scaling * B A, without DoRA. */
  readonly change: number;
  /** Frobenius norm of the frozen weight. */
  readonly weight: number;
}

/**
 * Norms of an adapter's changes, layer by layer in the model's order.
 *
 * @throws LoraError BAD_ARGUMENT
 */
export async function adapterNorms(model: PeftModel, adapterName = 'default'): Promise<AdapterNorm[]> {
  model.config(adapterName);
  const norms: AdapterNorm[] = [];
  for (const [layer, module] of model.base.namedModules()) {
    if (!(module instanceof LoraLinear) || !module.adapterNames.includes(adapterName)) continue;
    const [change, weight] = tidy(() => {
      const frozen = module.denseWeight();
      return [norm(sub(module.mergedWeight(frozen, [adapterName]), frozen)), norm(frozen)];
    });
    norms.push({ layer, change: (await change.data())[0]!, weight: (await weight.data())[0]! });
    change.dispose();
    weight.dispose();
  }
  return norms;
}
