import { type RunTracking } from './run-tracking';

/** What the callback reads of a trainer's state; `Trainer` of @qlora-js/trainer gives it. */
export interface TrackedTrainerState {
  /** Optimiser steps done. */
  readonly globalStep: number;
}

/** The events of a training that are recorded, as `TrainerCallback` of @qlora-js/trainer has them. */
export interface TrackingCallback {
  /** Records a row of the log. */
  onLog(context: { readonly state: TrackedTrainerState; readonly logs: Readonly<Record<string, number>> }): void;
}

/**
 * A callback for a Trainer that records every row it logs, under the names the row has: `loss`, `learning_rate`, `grad_norm`,
 * `skipped_steps`, `epoch`, `eval_loss`, `eval_accuracy`, `eval_f1`, `epoch_time_sec`, `tokens_per_sec_est`,
 * `real_tokens_per_sec`, `gpu_max_mem_allocated_GiB`, `total_time_sec`, `test_accuracy` and whatever else there is. Each
 * `eval_loss` is joined by `loss_gap`: itself less the latest training loss.
 */
export function trackingCallback(tracking: Pick<RunTracking, 'log'>): TrackingCallback {
  let trainingLoss: number | undefined;
  return {
    onLog: ({ state, logs }) => {
      const { step = state.globalStep, ...metrics } = logs;
      trainingLoss = metrics['loss'] ?? trainingLoss;
      const evaluationLoss = metrics['eval_loss'];
      const gap =
        evaluationLoss === undefined || trainingLoss === undefined ? undefined : evaluationLoss - trainingLoss;
      tracking.log(gap === undefined ? metrics : { ...metrics, loss_gap: gap }, step);
    },
  };
}
