import { LoraError } from '../errors';
import type { LoraConfig } from './lora-config';

/** Python's re.fullmatch for the patterns that configs carry; JavaScript's syntax agrees on what they use. */
function pattern(source: string, anchoredStart = '^(?:'): RegExp {
  try {
    return new RegExp(`${anchoredStart}${source})$`, 's');
  } catch (error) {
    throw new LoraError(
      'BAD_CONFIG',
      `${JSON.stringify(source)} is not a regular expression: ${(error as Error).message}`,
    );
  }
}

function matches(names: readonly string[] | string, key: string): boolean {
  if (typeof names === 'string') return pattern(names).test(key);
  return names.some((name) => key === name || key.endsWith(`.${name}`));
}

/** Whether PEFT would adapt the module `key`; peft/tuners/tuners_utils.py, check_target_module_exists. */
export function isTarget(config: LoraConfig, key: string): boolean {
  const { targetModules, excludeModules, modulesToSave, layersToTransform, layersPattern } = config;
  if (excludeModules !== null && matches(excludeModules, key)) return false;
  if (modulesToSave.some((name) => `.${key}.`.includes(`.${name}.`))) return false;
  // All of them but the output embedding; peft/tuners/tuners_utils.py, _maybe_include_all_linear_layers.
  if (targetModules === 'all-linear' ? key === 'lm_head' : !matches(targetModules, key)) return false;
  if (layersToTransform === null) return true;
  // The first number after the pattern, not the last: experts of a layer have numbers of their own.
  const sources =
    layersPattern === null || layersPattern.length === 0
      ? ['.*?\\.[^.]*\\.(\\d+)\\.']
      : layersPattern.map((name) => `(?:.*?\\.)?${name}\\.(\\d+)\\.`);
  for (const source of sources) {
    const index = new RegExp(`^${source}`).exec(key)?.[1];
    if (index !== undefined) return layersToTransform.includes(Number(index));
  }
  return false;
}

/** Whether PEFT would keep a trained copy of the module `key`; peft/utils/other.py, _set_trainable. */
export function isSaved({ modulesToSave }: Pick<LoraConfig, 'modulesToSave'>, key: string): boolean {
  return modulesToSave.some((name) => key.endsWith(name));
}

/** The value of the first pattern that fits `key`; peft/utils/other.py, get_pattern_key. */
function byPattern(patterns: Readonly<Record<string, number>>, key: string): number | undefined {
  const found = Object.keys(patterns).find((source) => pattern(source, '^(.*\\.)?(?:').test(key));
  return found === undefined ? undefined : patterns[found];
}

export interface RankAndAlpha {
  readonly r: number;
  readonly loraAlpha: number;
  /** alpha / r, or alpha / sqrt(r) under rsLoRA. */
  readonly scaling: number;
}

export function rankAndAlpha(config: LoraConfig, key: string): RankAndAlpha {
  const r = byPattern(config.rankPattern, key) ?? config.r;
  const loraAlpha = byPattern(config.alphaPattern, key) ?? config.loraAlpha;
  return { r, loraAlpha, scaling: loraAlpha / (config.useRslora ? Math.sqrt(r) : r) };
}
