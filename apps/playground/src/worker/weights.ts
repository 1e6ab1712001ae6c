import { toFloat32 } from '@qlora-js/hub';
import { adapterNorms, adapterStateDict, type PeftModel } from '@qlora-js/lora';
import { dequantizeArray, quantizeArray } from '@qlora-js/quant';
import { FINAL_ADAPTER } from '@qlora-js/finetune';
import type { BlockChoice, LayerNorm, WeightBlock } from './protocol';

/** Weights that share an absmax. */
const BLOCKSIZE = 64;

/** Names of the adapter's tensors. */
export async function adapterTensors(model: PeftModel): Promise<readonly string[]> {
  return (await adapterStateDict(model, FINAL_ADAPTER)).map(({ name }) => name);
}

/** A block of a tensor before and after 4 bits. */
export async function blockOf(model: PeftModel, { tensor, block, quantType }: BlockChoice): Promise<WeightBlock> {
  const stored = (await adapterStateDict(model, FINAL_ADAPTER)).find(({ name }) => name === tensor);
  if (stored === undefined) throw new Error(`the adapter has no tensor ${tensor}`);
  const all = toFloat32(stored);
  const values = all.slice(block * BLOCKSIZE, (block + 1) * BLOCKSIZE);
  const quantized = quantizeArray(values, [values.length], { quantType, blocksize: BLOCKSIZE, doubleQuant: false });
  const kept = dequantizeArray(quantized);
  const [absmax] = quantized.absmax;
  return {
    blocks: Math.ceil(all.length / BLOCKSIZE),
    values: [...values],
    kept: [...kept],
    levels: [...new Set(Array.from(quantized.code, (code) => code * absmax!))].sort((one, other) => one - other),
    absmax: absmax!,
    error: Math.sqrt(values.reduce((sum, value, index) => sum + (value - kept[index]!) ** 2, 0) / values.length),
  };
}

/** How far the adapter moves each layer. */
export async function layerNorms(model: PeftModel): Promise<readonly LayerNorm[]> {
  const norms = await adapterNorms(model, FINAL_ADAPTER);
  return norms.map(({ layer, change, weight }) => ({ layer, change, relative: change / weight }));
}
