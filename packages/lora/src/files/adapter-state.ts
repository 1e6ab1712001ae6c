import { tensor, tidy, transpose, type Tensor } from '@tensorflow/tfjs-core';
import { toFloat32, type StoredTensor } from '@qlora-js/hub';
import type { Parameter } from '@qlora-js/kernels';
import { LoraError } from '../errors';
import { ModulesToSaveLinear } from '../layers/modules-to-save';
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

/** A parameter of an adapter and how its file holds it. */
interface StoredParameter {
  readonly name: string;
  readonly parameter: Parameter;
  /** The file has the weight as [inFeatures, outFeatures]: PEFT copies transformers' Conv1D as it is. */
  readonly transposed: boolean;
}

function* adapterParameters(model: PeftModel, adapterName: string): Generator<StoredParameter> {
  const { bias } = model.config(adapterName);
  const transposed = new Set<string>();
  for (const [path, module] of model.namedModules()) {
    if (!(module instanceof ModulesToSaveLinear) || module.original.storedLayout === 'out-in') continue;
    transposed.add(`${path}.modules_to_save.${adapterName}.weight`);
  }
  for (const [path, parameter] of model.namedParameters()) {
    const name = storedName(path, adapterName, bias);
    if (name !== undefined) yield { name, parameter, transposed: transposed.has(path) };
  }
}

/** A tensor as the file has it from one as the model has it, and the other way round. */
function turned(values: Tensor, transposed: boolean): Tensor {
  return transposed ? tidy(() => transpose(values)) : values.clone();
}

/** The adapter's weights as PEFT stores them: float32, PEFT's names. */
export async function adapterStateDict(model: PeftModel, adapterName = 'default'): Promise<StoredTensor[]> {
  const stored: StoredTensor[] = [];
  for (const { name, parameter, transposed } of adapterParameters(model, adapterName)) {
    const kept = turned(parameter.value, transposed);
    const values = (await kept.data()) as Float32Array;
    stored.push({ name, dtype: 'F32', shape: kept.shape, bytes: new Uint8Array(values.slice().buffer) });
    kept.dispose();
  }
  return stored;
}

/**
 * Puts stored weights into an adapter. Every weight of the adapter must be there, in its shape, and nothing else may
 * be; all is checked before the first weight changes.
 *
 * @throws LoraError BAD_ADAPTER
 */
export function loadAdapterStateDict(model: PeftModel, stored: Iterable<StoredTensor>, adapterName = 'default'): void {
  const byName = new Map([...stored].map((entry) => [entry.name, entry]));
  const checked = [...adapterParameters(model, adapterName)].map((wanted) => {
    const values = checkedValues(wanted, byName.get(wanted.name));
    byName.delete(wanted.name);
    return { ...wanted, values };
  });
  if (byName.size > 0) {
    throw new LoraError(
      'BAD_ADAPTER',
      `the adapter file has ${byName.size} weights this model has no place for, e.g. '${[...byName.keys()][0]}'`,
    );
  }
  for (const { parameter, transposed, values } of checked) {
    const read = tensor(values, storedShape(parameter, transposed), 'float32');
    parameter.assign(turned(read, transposed));
    read.dispose();
  }
}

function storedShape({ shape }: Parameter, transposed: boolean): number[] {
  return transposed ? shape.toReversed() : shape;
}

function checkedValues(
  { name, parameter, transposed }: StoredParameter,
  entry: StoredTensor | undefined,
): Float32Array {
  if (entry === undefined) {
    throw new LoraError(
      'BAD_ADAPTER',
      `the adapter file lacks '${name}'; its config and its weights do not belong together`,
    );
  }
  const shape = storedShape(parameter, transposed);
  if (entry.shape.join() !== shape.join()) {
    throw new LoraError(
      'BAD_ADAPTER',
      `'${name}' has shape [${entry.shape.join(', ')}], but the model needs [${shape.join(', ')}]: base model or label count differ`,
    );
  }
  const values = toFloat32(entry);
  if (!values.every(Number.isFinite)) throw new LoraError('BAD_ADAPTER', `'${name}' holds NaN or infinity`);
  return values;
}
