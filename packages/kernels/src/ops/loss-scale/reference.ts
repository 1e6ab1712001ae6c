/** A loss scale, the steps since it last changed, and the steps left out. */
export interface LossScaleState {
  readonly scale: number;
  readonly tracker: number;
  readonly skipped: number;
}

/** The state after a step, in float64 but for what float32 can hold: torch's _amp_update_scale_. */
export function lossScaleReference(
  { scale, tracker, skipped }: LossScaleState,
  applied: boolean,
  options: { readonly growthFactor: number; readonly backoffFactor: number; readonly growthInterval: number },
): LossScaleState {
  if (!applied) return { scale: scale * options.backoffFactor, tracker: 0, skipped: skipped + 1 };
  if (tracker + 1 < options.growthInterval) return { scale, tracker: tracker + 1, skipped };
  const grown = scale * options.growthFactor;
  return { scale: Number.isFinite(Math.fround(grown)) ? grown : scale, tracker: 0, skipped };
}
