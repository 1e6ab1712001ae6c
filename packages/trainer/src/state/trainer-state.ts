/** A row of the log, with the keys transformers gives it. */
export type LogRow = Readonly<Record<string, number>>;

/** What a run has come to; transformers' TrainerState (trainer_callback.py). */
export interface TrainerState {
  /** Epochs done, with the fraction of the one under way. */
  epoch: number;
  /** Optimiser steps done. */
  globalStep: number;
  maxSteps: number;
  numTrainEpochs: number;
  trainBatchSize: number;
  /** Tokens that were not padding. */
  numInputTokensSeen: number;
  logHistory: LogRow[];
  bestMetric: number | null;
  bestGlobalStep: number | null;
  bestModelCheckpoint: string | null;
}

export function newTrainerState(): TrainerState {
  return {
    epoch: 0,
    globalStep: 0,
    maxSteps: 0,
    numTrainEpochs: 0,
    trainBatchSize: 0,
    numInputTokensSeen: 0,
    logHistory: [],
    bestMetric: null,
    bestGlobalStep: null,
    bestModelCheckpoint: null,
  };
}

/** trainer_state.json as transformers writes it: snake_case, sorted keys, two spaces. */
export function trainerStateJson(
  state: TrainerState,
  steps: { logging: number; evaluation: number; save: number },
): string {
  const json: Record<string, unknown> = {
    best_global_step: state.bestGlobalStep,
    best_metric: state.bestMetric,
    best_model_checkpoint: state.bestModelCheckpoint,
    epoch: state.epoch,
    eval_steps: steps.evaluation,
    global_step: state.globalStep,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: state.logHistory,
    logging_steps: steps.logging,
    max_steps: state.maxSteps,
    num_input_tokens_seen: state.numInputTokensSeen,
    num_train_epochs: state.numTrainEpochs,
    save_steps: steps.save,
    stateful_callbacks: {},
    total_flos: 0,
    train_batch_size: state.trainBatchSize,
    trial_name: null,
    trial_params: null,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}
