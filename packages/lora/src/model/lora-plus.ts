/** Anything with a parameter's dotted name. */
interface Named {
  readonly name: string;
}

export interface LoraPlusGroup<P extends Named> {
  readonly parameters: readonly P[];
  readonly learningRateScale: number;
}

/**
 * LoRA+ (Hayou et al. 2024, section 4): B learns `ratio` times as fast as everything else. Groups as
 * @qlora-js/optim takes them; a ratio of 1 is LoRA. (peft/optimizers/loraplus.py, create_loraplus_optimizer)
 */
export function loraPlusGroups<P extends Named>(parameters: readonly P[], ratio: number): LoraPlusGroup<P>[] {
  const fast = (name: string): boolean => name.includes('.lora_B.');
  return [
    { parameters: parameters.filter(({ name }) => !fast(name)), learningRateScale: 1 },
    { parameters: parameters.filter(({ name }) => fast(name)), learningRateScale: ratio },
  ];
}
