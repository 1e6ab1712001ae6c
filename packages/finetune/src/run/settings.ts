import type { PaddingSettings } from '../data/padding';
import type { LoraSettings, QuantizationSettings } from '../model/settings';
import type { SearchSettings } from '../search/space';
import type { TrainingSettings } from '../training/settings';

/** Everything a fine-tuning is told besides its base and its data, filled in. */
export interface FineTuneSettings {
  /** Seed of order, dropout, starting values and search. */
  readonly seed: number;
  /** How texts become batches. */
  readonly padding: PaddingSettings;
  /** How the base's weights are kept; null for float32. */
  readonly quantization: QuantizationSettings | null;
  /** The adapter. */
  readonly lora: LoraSettings;
  /** The trainer's arguments. */
  readonly training: TrainingSettings;
  /** The search before the final training; null for none. */
  readonly search: SearchSettings | null;
}

/** What a caller may leave out. */
export interface FineTuneOptions {
  /** Default 42. */
  readonly seed?: number;
  /** How texts become batches. */
  readonly padding?: Partial<PaddingSettings>;
  /** How the base's weights are kept, NF4 with double quantisation by default; null for float32. */
  readonly quantization?: Partial<QuantizationSettings> | null;
  /** The adapter. */
  readonly lora?: Partial<LoraSettings>;
  /** The trainer's arguments. */
  readonly training?: Partial<TrainingSettings>;
  /** The search before the final training; none by default. */
  readonly search?: Partial<SearchSettings> | null;
}

/** QLoRA's usual settings; those of the paper's code and of PEFT's examples where they agree. */
export const DEFAULT_SETTINGS: FineTuneSettings & { readonly search: SearchSettings } = {
  seed: 42,
  padding: { maxLength: 128, padding: 'longest', paddingSide: 'right' },
  quantization: { quantType: 'nf4', blocksize: 64, doubleQuant: true },
  lora: { r: 16, loraAlpha: 32, loraDropout: 0.1, targetModules: null, useRslora: false, useDora: false },
  training: {
    learningRate: 2e-4,
    numTrainEpochs: 3,
    maxSteps: -1,
    perDeviceTrainBatchSize: 8,
    perDeviceEvalBatchSize: 64,
    gradientAccumulationSteps: 1,
    gradientCheckpointing: false,
    activationDtype: 'float32',
    weightDecay: 0.01,
    warmupSteps: 0.1,
    maxGradNorm: 1,
    optim: 'paged_adamw_8bit',
    lrSchedulerType: 'linear',
    evalSteps: 100,
    saveSteps: 100,
    saveTotalLimit: 1,
    loggingSteps: 50,
    groupByLength: false,
    fp16: false,
  },
  search: { trials: 5, space: 'reference', epochs: 0, pruner: 'asha' },
};

/** The defaults with what a caller has given. */
export function fineTuneSettings(options: FineTuneOptions): FineTuneSettings {
  const { seed, padding, quantization, lora, training, search } = options;
  return {
    seed: seed ?? DEFAULT_SETTINGS.seed,
    padding: given(DEFAULT_SETTINGS.padding, padding),
    quantization: quantization === null ? null : given(DEFAULT_SETTINGS.quantization!, quantization),
    lora: given(DEFAULT_SETTINGS.lora, lora),
    training: given(DEFAULT_SETTINGS.training, training),
    search: search === null || search === undefined ? null : given(DEFAULT_SETTINGS.search, search),
  };
}

/** A value that is undefined counts as left out. */
function given<Settings extends object>(defaults: Settings, values: Partial<Settings> | undefined): Settings {
  const set = Object.entries(values ?? {}).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(set) as Partial<Settings>) };
}
