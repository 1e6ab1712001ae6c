import { LoraError } from '../errors';
import { loraConfig, type LoraConfig } from './lora-config';

/** PEFT's version whose key set is written. */
export const PEFT_VERSION = '0.21.2';

/** Keys of PEFT 0.21's adapter_config.json that nothing here sets, with PEFT's defaults. */
const OTHER_DEFAULTS: Readonly<Record<string, unknown>> = {
  alora_invocation_tokens: null,
  arrow_config: null,
  auto_mapping: null,
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  fan_in_fan_out: false,
  kasa_config: null,
  layer_replication: null,
  loftq_config: {},
  lora_bias: false,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: 'megatron.core',
  monteclora_config: null,
  qalora_group_size: 16,
  target_parameters: null,
  trainable_token_indices: null,
  use_bdlora: null,
  use_qalora: false,
  velora_config: null,
};

/** Keys that change what an adapter computes and that this package does not have: refused, not ignored. */
const UNSUPPORTED: readonly string[] = [
  'alora_invocation_tokens',
  'arrow_config',
  'layer_replication',
  'lora_bias',
  'target_parameters',
  'trainable_token_indices',
  'use_bdlora',
  'use_qalora',
  'kasa_config',
  'monteclora_config',
];

/** adapter_config.json as PEFT writes it: every key, sorted, indented by two. */
export function loraConfigToJson(config: LoraConfig): string {
  const json: Record<string, unknown> = {
    ...OTHER_DEFAULTS,
    ...config.otherKeys,
    alpha_pattern: config.alphaPattern,
    base_model_name_or_path: config.baseModelNameOrPath,
    bias: config.bias,
    exclude_modules: config.excludeModules,
    inference_mode: true,
    init_lora_weights: config.initLoraWeights,
    layers_pattern: config.layersPattern,
    layers_to_transform: config.layersToTransform,
    lora_alpha: config.loraAlpha,
    lora_dropout: config.loraDropout,
    modules_to_save: config.modulesToSave.length === 0 ? null : config.modulesToSave,
    peft_type: 'LORA',
    peft_version: config.otherKeys['peft_version'] ?? PEFT_VERSION,
    r: config.r,
    rank_pattern: config.rankPattern,
    revision: config.revision,
    target_modules: config.targetModules,
    task_type: config.taskType,
    use_dora: config.useDora,
    use_rslora: config.useRslora,
  };
  const sorted = Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(sorted, null, 2);
}

/** Reads a parsed adapter_config.json; older files lack keys, newer ones have more, which are kept. */
export function loraConfigFromJson(json: unknown, place = 'adapter_config.json'): LoraConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new LoraError('BAD_CONFIG', `${place} is not a JSON object`);
  }
  const fields = new Map<string, unknown>(Object.entries(json));
  const wrong = (key: string, wanted: string): LoraError =>
    new LoraError('BAD_CONFIG', `${place}: ${key} is ${JSON.stringify(fields.get(key))}, but ${wanted} is needed`);
  if (fields.get('peft_type') !== 'LORA') throw wrong('peft_type', '"LORA"');
  for (const key of UNSUPPORTED) {
    const value = fields.get(key);
    if (value !== undefined && value !== null && value !== false)
      throw wrong(key, 'null (this kind of adapter is not read here)');
  }
  const taken = new Set<string>(['peft_type', 'inference_mode']);
  const take = <T>(key: string, check: (value: unknown) => value is T, wanted: string): T | undefined => {
    taken.add(key);
    const value = fields.get(key);
    if (value === undefined || value === null) return undefined;
    if (!check(value)) throw wrong(key, wanted);
    return value;
  };
  const names = (key: string) => take(key, isNames, 'a string or a list of strings');
  const list = (key: string) => take(key, isStrings, 'a list of strings');
  const layers = take('layers_to_transform', isLayers, 'an integer or a list of integers');
  const layersPattern = names('layers_pattern');
  const options: { -readonly [K in keyof LoraConfig]?: LoraConfig[K] } = {
    r: take('r', isNumber, 'a number'),
    loraAlpha: take('lora_alpha', isNumber, 'a number'),
    loraDropout: take('lora_dropout', isNumber, 'a number'),
    targetModules: names('target_modules'),
    excludeModules: names('exclude_modules') ?? null,
    bias: take('bias', isString, 'a string') as LoraConfig['bias'] | undefined,
    taskType: (take('task_type', isString, 'a string') ?? null) as LoraConfig['taskType'],
    modulesToSave: list('modules_to_save'),
    initLoraWeights: true,
    useRslora: take('use_rslora', isBoolean, 'true or false'),
    useDora: take('use_dora', isBoolean, 'true or false'),
    rankPattern: take('rank_pattern', isNumbers, 'an object of numbers'),
    alphaPattern: take('alpha_pattern', isNumbers, 'an object of numbers'),
    layersToTransform: layers === undefined ? null : typeof layers === 'number' ? [layers] : layers,
    layersPattern:
      layersPattern === undefined ? null : typeof layersPattern === 'string' ? [layersPattern] : layersPattern,
    baseModelNameOrPath: take('base_model_name_or_path', isString, 'a string') ?? null,
    revision: take('revision', isString, 'a string') ?? null,
  };
  // How an adapter was initialised says nothing about the weights that lie beside the file; kept for writing back.
  const init = fields.get('init_lora_weights');
  if (init === false || init === 'gaussian') options.initLoraWeights = init;
  taken.add('init_lora_weights');
  options.otherKeys = Object.fromEntries([...fields].filter(([key]) => !taken.has(key)));
  return loraConfig(options);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
function isString(value: unknown): value is string {
  return typeof value === 'string';
}
function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isString);
}
function isNames(value: unknown): value is string | string[] {
  return isString(value) || isStrings(value);
}
function isLayers(value: unknown): value is number | number[] {
  return isNumber(value) || (Array.isArray(value) && value.every(isNumber));
}
function isNumbers(value: unknown): value is Record<string, number> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isNumber);
}
