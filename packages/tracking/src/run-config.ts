/** What a run trains and how its base is quantised. */
export interface QloraRun {
  /** Name of the base model. */
  readonly model: string;
  /** Type of the 4-bit weights; `none` for a base that is not quantised. */
  readonly quantType: 'nf4' | 'fp4' | 'int4' | 'none';
  /** Whether the scales of blocks are quantised too. */
  readonly doubleQuant: boolean;
  /** Type that products are computed in, such as `float32`. */
  readonly computeDtype: string;
  /** Part of the work, such as `search` or `final_training`. */
  readonly phase: string;
  /** Longest text, in tokens. */
  readonly maxLength: number;
}

/** The config under the names of the reference notebook, by which earlier runs are found and compared. */
export function qloraRunConfig({ model, quantType, doubleQuant, computeDtype, phase, maxLength }: QloraRun): {
  /** Name of the base model. */
  readonly model: string;
  readonly method: string;
  readonly quantization_4bit: boolean;
  readonly bnb_4bit_quant_type: string;
  readonly bnb_double_quant: boolean;
  readonly bnb_compute_dtype: string;
  readonly phase: string;
  readonly max_length: number;
} {
  return {
    model,
    method: quantType === 'none' ? 'LoRA' : 'QLoRA',
    quantization_4bit: quantType !== 'none',
    bnb_4bit_quant_type: quantType,
    bnb_double_quant: doubleQuant,
    bnb_compute_dtype: computeDtype,
    phase,
    max_length: maxLength,
  };
}

/** The reference notebook's name of a final run: `final_best_QLoRA-NF4`. */
export function finalRunName(quantType: QloraRun['quantType']): string {
  return quantType === 'none' ? 'final_best_LoRA' : `final_best_QLoRA-${quantType.toUpperCase()}`;
}
