import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { toFloat32, type StoredTensor } from '@qlora-js/hub';
import type { Parameter } from '@qlora-js/kernels';
import { LoraError } from '../errors';
import type { PeftModel } from '../model/peft-model';

/**
 * A parameter's name in adapter_model.safetensors, or undefined for one that is not of the adapter: PEFT leaves the
 * adapter's name out and shortens two suffixes (peft/utils/save_and_load.py, get_peft_model_state_dict).
 */
function storedName(path: string, adapterName: string, bias: 'none' | 'all' | 'lora_only'): string | undefined {
  const saved = `.modules_to_save.${adapterName}.`;
  if (path.includes(saved)) return path.replace(saved, '.');
  if (path.includes('.modules_to_save.') || path.includes('.original_module.')) return undefined;
  if (path.includes('.lora_')) {
    if (!path.includes(`.${adapterName}.weight`)) return undefined;
    return path.replace(`.${adapterName}.weight`, path.includes('.lora_magnitude_vector.') ? '' : '.weight');
  }
  if (!path.endsWith('.bias')) return undefined;
  return bias === 'all' || (bias === 'lora_only' && path.includes('.base_layer.')) ? path : undefined;
}

function* adapterParameters(model: PeftModel, adapterName: string): Generator<[string, Parameter]> {
  const { bias } = model.config(adapterName);
  for (const [path, parameter] of model.namedParameters()) {
    const name = storedName(path, adapterName, bias);
    if (name !== undefined) yield [name, parameter];
  }
}

/** The adapter's weights as PEFT stores them: float32, PEFT's names. */
export async function adapterStateDict(model: PeftModel, adapterName = 'default'): Promise<StoredTensor[]> {
  const stored: StoredTensor[] = [];
  for (const [name, parameter] of adapterParameters(model, adapterName)) {
    const values = (await parameter.value.data()) as Float32Array;
    stored.push({ name, dtype: 'F32', shape: parameter.shape, bytes: new Uint8Array(values.slice().buffer) });
  }
  return stored;
}

/**
 * Puts stored weights into an adapter. Every weight of the adapter must be there, in its shape, and nothing else may
 * be; all is checked before the first weight changes.
 */
export function loadAdapterStateDict(model: PeftModel, stored: Iterable<StoredTensor>, adapterName = 'default'): void {
  const byName = new Map([...stored].map((entry) => [entry.name, entry]));
  const assignments: [Parameter, Tensor][] = [];
  for (const [name, parameter] of adapterParameters(model, adapterName)) {
    const entry = byName.get(name);
    if (entry === undefined)
      throw new LoraError(
        'BAD_ADAPTER',
        `the adapter file lacks '${name}'; its config and its weights do not belong together`,
      );
    if (entry.shape.join() !== parameter.shape.join()) {
      throw new LoraError(
        'BAD_ADAPTER',
        `'${name}' has shape [${entry.shape.join(', ')}], but the model needs [${parameter.shape.join(', ')}]: base model or label count differ`,
      );
    }
    byName.delete(name);
    const values = toFloat32(entry);
    if (!values.every(Number.isFinite)) throw new LoraError('BAD_ADAPTER', `'${name}' holds NaN or infinity`);
    assignments.push([parameter, tensor(values, [...entry.shape], 'float32')]);
  }
  if (byName.size > 0) {
    assignments.forEach(([, values]) => values.dispose());
    throw new LoraError(
      'BAD_ADAPTER',
      `the adapter file has ${byName.size} weights this model has no place for, e.g. '${[...byName.keys()][0]}'`,
    );
  }
  for (const [parameter, values] of assignments) parameter.assign(values);
}
