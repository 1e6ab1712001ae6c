import { LoraError } from '../errors';

export type TaskType = 'SEQ_CLS' | 'CAUSAL_LM' | null;
export type Bias = 'none' | 'all' | 'lora_only';
/** true: Kaiming-uniform A and zero B; 'gaussian': normal A with deviation 1/r and zero B; false: B random as well. */
export type InitLoraWeights = boolean | 'gaussian';

/** PEFT's LoraConfig (peft/tuners/lora/config.py) in camelCase, with its defaults. */
export interface LoraConfig {
  /** Rank of the update. */
  readonly r: number;
  readonly loraAlpha: number;
  readonly loraDropout: number;
  /** Names or name endings; a string is a regular expression for whole names, or 'all-linear'. */
  readonly targetModules: readonly string[] | string;
  readonly excludeModules: readonly string[] | string | null;
  readonly bias: Bias;
  readonly taskType: TaskType;
  /** Modules trained and saved whole; SEQ_CLS always has the head among them. */
  readonly modulesToSave: readonly string[];
  readonly initLoraWeights: InitLoraWeights;
  /** Scale by alpha / sqrt(r) instead of alpha / r (Kalajdzievski 2023). */
  readonly useRslora: boolean;
  /** Train direction and magnitude apart (Liu et al. 2024). */
  readonly useDora: boolean;
  /** Ranks by regular expression over module names. */
  readonly rankPattern: Readonly<Record<string, number>>;
  readonly alphaPattern: Readonly<Record<string, number>>;
  readonly layersToTransform: readonly number[] | null;
  readonly layersPattern: readonly string[] | null;
  readonly baseModelNameOrPath: string | null;
  readonly revision: string | null;
  /** Keys of adapter_config.json that mean nothing here; written back as they were. */
  readonly otherKeys: Readonly<Record<string, unknown>>;
}

/** What PEFT trains whole in every sequence classifier, whether the model has it or not. */
export const SEQ_CLS_HEADS: readonly string[] = ['classifier', 'score'];

export const DEFAULT_LORA_CONFIG: LoraConfig = {
  r: 8,
  loraAlpha: 8,
  loraDropout: 0,
  // What PEFT picks for model_type gpt2 (peft/utils/constants.py).
  targetModules: ['c_attn'],
  excludeModules: null,
  bias: 'none',
  taskType: null,
  modulesToSave: [],
  initLoraWeights: true,
  useRslora: false,
  useDora: false,
  rankPattern: {},
  alphaPattern: {},
  layersToTransform: null,
  layersPattern: null,
  baseModelNameOrPath: null,
  revision: null,
  otherKeys: {},
};

/** Fills in PEFT's defaults and checks every value. */
export function loraConfig(options: Partial<LoraConfig> = {}): LoraConfig {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const config: LoraConfig = { ...DEFAULT_LORA_CONFIG, ...given };
  const { r, loraAlpha, loraDropout, bias, taskType, rankPattern, alphaPattern, layersToTransform, targetModules } =
    config;
  const fail = (key: string, value: unknown, wanted: string): never => {
    throw new LoraError('BAD_CONFIG', `LoraConfig: ${key} is ${JSON.stringify(value)}, but ${wanted} is needed`);
  };
  if (!Number.isInteger(r) || r < 1) fail('r', r, 'a positive integer');
  if (!(loraAlpha > 0)) fail('loraAlpha', loraAlpha, 'a positive number');
  if (!(loraDropout >= 0 && loraDropout < 1)) fail('loraDropout', loraDropout, 'a number in [0, 1)');
  if (!['none', 'all', 'lora_only'].includes(bias)) fail('bias', bias, "'none', 'all' or 'lora_only'");
  if (taskType !== null && taskType !== 'SEQ_CLS' && taskType !== 'CAUSAL_LM') {
    fail('taskType', taskType, "'SEQ_CLS', 'CAUSAL_LM' or null");
  }
  if (targetModules.length === 0) fail('targetModules', targetModules, 'at least one name');
  for (const [pattern, value] of [...Object.entries(rankPattern), ...Object.entries(alphaPattern)]) {
    if (!(value > 0)) fail(`the pattern ${JSON.stringify(pattern)}`, value, 'a positive number');
  }
  if (layersToTransform !== null && typeof targetModules === 'string') {
    fail(
      'layersToTransform',
      layersToTransform,
      'a list in targetModules (PEFT ignores layers under a regular expression)',
    );
  }
  if (
    !['boolean', 'string'].includes(typeof config.initLoraWeights) ||
    (typeof config.initLoraWeights === 'string' && config.initLoraWeights !== 'gaussian')
  ) {
    fail('initLoraWeights', config.initLoraWeights, "true, false or 'gaussian'");
  }
  const modulesToSave =
    taskType === 'SEQ_CLS' ? [...new Set([...config.modulesToSave, ...SEQ_CLS_HEADS])] : config.modulesToSave;
  return { ...config, modulesToSave };
}
