import { norm, tidy, add, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import {
  assignDropoutSites,
  countParameters,
  gemm,
  LinearLayer,
  Module,
  type ParameterCounts,
} from '@qlora-js/kernels';
import type { LoraConfig } from '../config/lora-config';
import { isSaved, isTarget, rankAndAlpha } from '../config/targets';
import { SEQ_CLS_HEADS } from '../config/lora-config';
import { LoraError } from '../errors';
import { LoraLinear } from '../layers/lora-linear';
import { ModulesToSaveLinear } from '../layers/modules-to-save';
import { initialWeights } from './initial-weights';

export interface AddAdapterOptions {
  /** Seed of the starting values of A (and of B under initLoraWeights false). */
  readonly seed?: number;
}

/** A model with adapters in its linear layers; parameter names are those PEFT gives (base_model.model...). */
export class PeftModel<Base extends Module = Module> extends Module {
  private readonly configs = new Map<string, LoraConfig>();
  private active: readonly string[] = [];

  constructor(readonly base: Base) {
    super();
    const tuner = new Tuner();
    tuner.setChild('model', base);
    this.setChild('base_model', tuner);
    for (const [, parameter] of base.namedParameters()) parameter.setRequiresGrad(false);
  }

  get adapterNames(): readonly string[] {
    return [...this.configs.keys()];
  }

  get activeAdapters(): readonly string[] {
    return this.active;
  }

  config(name: string): LoraConfig {
    const config = this.configs.get(name);
    if (config === undefined) {
      throw new LoraError(
        'BAD_ARGUMENT',
        `there is no adapter '${name}'; the adapters are ${this.adapterNames.join(', ') || 'none'}`,
      );
    }
    return config;
  }

  /** Puts a new adapter beside those there are and makes it the active one. */
  addAdapter(name: string, config: LoraConfig, { seed = 0 }: AddAdapterOptions = {}): void {
    if (!/^[\w-]+$/.test(name))
      throw new LoraError('BAD_ARGUMENT', `'${name}' is no adapter name: use letters, digits, _ and -`);
    if (this.configs.has(name)) throw new LoraError('BAD_ARGUMENT', `there is an adapter '${name}' already`);
    checkSavedModules(this.base, config);
    let stream = 0;
    const targets: string[] = [];
    for (const [path, layer] of linearLayers(this.base)) {
      if (!isTarget(config, path)) continue;
      targets.push(path);
      const lora = layer instanceof LoraLinear ? layer : new LoraLinear(layer);
      if (lora !== layer) this.base.replaceModule(path, lora);
      const { r, scaling } = rankAndAlpha(config, path);
      const { a, b } = initialWeights(
        { r, inFeatures: lora.inFeatures, outFeatures: lora.outFeatures },
        config.initLoraWeights,
        seed,
        stream++,
      );
      lora.addAdapter(name, {
        a,
        b,
        scaling,
        dropout: config.loraDropout,
        ...(config.useDora ? { magnitude: rowNorms(lora.base, a, b, scaling) } : {}),
      });
    }
    if (targets.length === 0) {
      throw new LoraError(
        'NO_TARGET',
        `targetModules ${JSON.stringify(config.targetModules)} fit no linear layer; the layers end in ${endings(linearLayers(this.base))}`,
      );
    }
    for (const [path, layer] of linearLayers(this.base)) {
      if (!isSaved(config, path)) continue;
      const wrapper = layer instanceof ModulesToSaveLinear ? layer : new ModulesToSaveLinear(layer);
      if (wrapper !== layer) this.base.replaceModule(path, wrapper);
      wrapper.addAdapter(name);
    }
    this.configs.set(name, config);
    assignDropoutSites(this.base);
    this.setAdapter(name);
  }

  /** Takes an adapter out and frees its weights; if it was active, none is. */
  deleteAdapter(name: string): void {
    this.config(name);
    for (const [, module] of [...this.base.namedModules()]) {
      if (module instanceof LoraLinear || module instanceof ModulesToSaveLinear) module.deleteAdapter(name);
    }
    this.configs.delete(name);
    this.setAdapter(this.active.filter((active) => active !== name));
  }

  /** Makes these adapters the ones that act and train; an empty list is the base alone. */
  setAdapter(names: string | readonly string[]): void {
    const list = typeof names === 'string' ? [names] : names;
    list.forEach((name) => this.config(name));
    this.active = list;
    for (const [, module] of this.base.namedModules()) {
      if (module instanceof LoraLinear || module instanceof ModulesToSaveLinear) module.setActive(list);
    }
    for (const [path, parameter] of this.base.namedParameters()) {
      parameter.setRequiresGrad(list.some((name) => this.trains(path, name)));
    }
  }

  /** Runs `action` with no adapter acting, as PEFT's disable_adapter. */
  withoutAdapters<T>(action: () => T): T {
    const before = this.active;
    this.setAdapter([]);
    try {
      return action();
    } finally {
      this.setAdapter(before);
    }
  }

  /** Numbers of trained and of all parameters, 4-bit weights counted as weights. */
  parameterCounts(): ParameterCounts {
    return countParameters(this);
  }

  /** PEFT's line: `trainable params: 4,404,224 || all params: 359,306,240 || trainable%: 1.2258`. */
  trainableParametersLine(): string {
    return formatTrainableParameters(this.parameterCounts());
  }

  private trains(path: string, name: string): boolean {
    const { bias } = this.config(name);
    if (path.includes('.lora_')) return path.includes(`.${name}.`);
    if (path.includes('.modules_to_save.')) return path.includes(`.modules_to_save.${name}.`);
    if (path.startsWith('modules_to_save.')) return path.startsWith(`modules_to_save.${name}.`);
    if (!path.endsWith('.bias')) return false;
    return bias === 'all' || (bias === 'lora_only' && path.endsWith('.base_layer.bias'));
  }
}

export function formatTrainableParameters({ trainable, all }: ParameterCounts): string {
  const group = (count: number): string => count.toLocaleString('en-US');
  return `trainable params: ${group(trainable)} || all params: ${group(all)} || trainable%: ${((100 * trainable) / all).toFixed(4)}`;
}

/** Puts one adapter into a model, as PEFT's get_peft_model: the base is frozen, the adapter trains. */
export function getPeftModel<Base extends Module>(
  base: Base,
  config: LoraConfig,
  { adapterName = 'default', ...options }: AddAdapterOptions & { readonly adapterName?: string } = {},
): PeftModel<Base> {
  const model = new PeftModel(base);
  model.addAdapter(adapterName, config, options);
  return model;
}

/** The modules of the base with their paths: a wrapped linear layer counts, its insides do not. */
function* outerModules(module: Module, prefix = ''): Generator<[string, Module]> {
  for (const [name, child] of module.children()) {
    yield [prefix + name, child];
    if (!(child instanceof LinearLayer)) yield* outerModules(child, `${prefix}${name}.`);
  }
}

/** The linear layers an adapter can wrap, with their paths. */
function linearLayers(model: Module): [string, LinearLayer][] {
  return [...outerModules(model)].filter((entry): entry is [string, LinearLayer] => entry[1] instanceof LinearLayer);
}

/** The last names of layers' paths, each once. */
function endings(layers: readonly [string, LinearLayer][]): string {
  return [...new Set(layers.map(([path]) => path.split('.').pop()))].join(', ');
}

/**
 * Refuses what `modulesToSave` names and this package does not keep as a trained copy, before anything is changed.
 *
 * @throws LoraError BAD_CONFIG naming the module and the reason
 */
function checkSavedModules(model: Module, config: LoraConfig): void {
  const fail = (name: string, reason: string): never => {
    throw new LoraError('BAD_CONFIG', `modulesToSave names '${name}', but ${reason}`);
  };
  const modules = [...outerModules(model)];
  const linear = linearLayers(model);
  for (const name of config.modulesToSave) {
    const fitting = modules.filter(([path]) => isSaved({ modulesToSave: [name] }, path));
    // PEFT adds both heads to every sequence classifier, and a model has one of them.
    if (fitting.length === 0 && !SEQ_CLS_HEADS.includes(name)) {
      fail(name, `no module's name ends in it; the linear layers end in ${endings(linear)}`);
    }
    for (const [path, module] of fitting) {
      if (!(module instanceof LinearLayer)) {
        fail(
          name,
          `'${path}' is no linear layer, and only those are trained as copies here: norms and embeddings are read by ` +
            "the ops around them. Leave it out; bias: 'all' trains the norms' biases",
        );
      }
      if (module instanceof LoraLinear) {
        fail(name, `another adapter has a low-rank update on '${path}': give the two adapters models of their own`);
      }
    }
  }
  for (const [path, layer] of linear) {
    if (layer instanceof ModulesToSaveLinear && isTarget(config, path)) {
      throw new LoraError(
        'BAD_CONFIG',
        `targetModules fit '${path}', which another adapter saves whole: name it in modulesToSave or excludeModules`,
      );
    }
  }
}

/** DoRA starts from the norms of the rows it will scale. */
function rowNorms(base: LinearLayer, a: Tensor2D, b: Tensor2D, scaling: number): Tensor1D {
  return tidy(() => norm(add(base.denseWeight(), gemm(b, a, { alpha: scaling })), 2, 1) as Tensor1D);
}

class Tuner extends Module {}
