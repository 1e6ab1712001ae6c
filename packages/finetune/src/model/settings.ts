/** How a base's weights are kept. */
export interface QuantizationSettings {
  /** The 4-bit type. */
  readonly quantType: 'nf4' | 'fp4' | 'int4';
  /** Weights that share an absmax. */
  readonly blocksize: number;
  /** Quantise the absmax values too. */
  readonly doubleQuant: boolean;
}

/** What an adapter is made of; PEFT's names. */
export interface LoraSettings {
  /** Rank of the update. */
  readonly r: number;
  /** The update is scaled by alpha / r. */
  readonly loraAlpha: number;
  /** Dropout before A. */
  readonly loraDropout: number;
  /** Names of the layers that get one; null for the family's usual ones. */
  readonly targetModules: readonly string[] | null;
  /** Scale by alpha / sqrt(r) instead. */
  readonly useRslora: boolean;
  /** Train magnitude and direction apart. */
  readonly useDora: boolean;
}
