import {
  MedianPruner,
  NopPruner,
  SuccessiveHalvingPruner,
  TrialPruned,
  type Pruner,
  type Study,
  type Trial,
} from '@qlora-js/hpo';
import type { TrainerCallback } from '@qlora-js/trainer';
import type { FineTuneSettings } from '../run/settings';
import type { TrainingSettings } from '../training/settings';
import type { PRUNER_NAMES } from './space';

/** One of every so many trials goes on from a rung to the next. */
const REDUCTION_FACTOR = 3;
/** Rungs of a search below its longest training: at a ninth and at a third of its samples. */
const RUNGS = 2;

/** The pruner of a name; `longest` is the number of samples of the longest training. */
export function prunerOf(name: (typeof PRUNER_NAMES)[number], longest: number): Pruner {
  if (name === 'none') return new NopPruner();
  if (name === 'median') return new MedianPruner();
  const minResource = Math.max(1, Math.floor(longest / REDUCTION_FACTOR ** RUNGS));
  return new SuccessiveHalvingPruner({ minResource, reductionFactor: REDUCTION_FACTOR });
}

/** When a trial is evaluated, and the samples between two evaluations: as many for every trial, whatever its batch size. */
export function evaluationsOf(
  { training }: FineTuneSettings,
  { perDeviceTrainBatchSize: batchSize }: Pick<TrainingSettings, 'perDeviceTrainBatchSize'>,
): Pick<TrainingSettings, 'evalSteps' | 'saveSteps'> & { readonly samples: number } {
  const { evalSteps, saveSteps, gradientAccumulationSteps, perDeviceTrainBatchSize } = training;
  const samples = evalSteps * perDeviceTrainBatchSize * gradientAccumulationSteps;
  const steps = Math.max(1, Math.round(samples / (batchSize * gradientAccumulationSteps)));
  return { evalSteps: steps, saveSteps: steps * Math.max(1, Math.round(saveSteps / evalSteps)), samples };
}

/** System attribute of a trial that the pruner has given up, with the samples it had seen. */
const PRUNED_AT = 'pruned_at';

/** How often, and of which trial. */
export interface PruneCallbackOptions {
  /** The search. */
  readonly study: Study;
  /** The trial that is trained. */
  readonly trial: Trial;
  /** The figure that is reported. */
  readonly metric: string;
  /** Steps between two evaluations. */
  readonly evalSteps: number;
  /** Samples between two evaluations. */
  readonly samples: number;
}

/**
 * Reports each evaluation to the study by the samples seen so far, so that trials of other batch sizes compare, and ends
 * a trial that the pruner gives up. A trial that is gone on with from a checkpoint has reported some before: the first
 * report counts, and what was given up stays so.
 */
export class PruneCallback implements TrainerCallback {
  constructor(private readonly options: PruneCallbackOptions) {}

  onTrainBegin(): void {
    const at = this.options.trial.systemAttrs[PRUNED_AT];
    if (typeof at === 'number') throw new TrialPruned(`after ${at} samples, before it was interrupted`);
  }

  onEvaluate({ metrics, state }: Parameters<NonNullable<TrainerCallback['onEvaluate']>>[0]): void {
    const { study, trial, metric, evalSteps, samples } = this.options;
    const value = metrics[`eval_${metric}`];
    // The evaluation after the last step is the trial's value, not a report.
    if (value === undefined || state.globalStep >= state.maxSteps) return;
    const seen = Math.round(state.globalStep / evalSteps) * samples;
    if (study.trials[trial.number]!.intermediateValues.has(seen)) return;
    trial.report(value, seen);
    if (!trial.shouldPrune()) return;
    trial.setSystemAttr(PRUNED_AT, seen);
    throw new TrialPruned(`step ${state.globalStep}, ${seen} samples: ${metric} ${value.toFixed(4)}`);
  }
}
