import { TrainerError } from '../errors';

/** A row of the log, with the keys transformers gives it. */
export type LogRow = Readonly<Record<string, number>>;

/** What a run has come to; transformers' TrainerState (trainer_callback.py). */
export interface TrainerState {
  /** Epochs done, with the fraction of the one under way. */
  epoch: number;
  /** Optimiser steps done. */
  globalStep: number;
  /** Optimiser steps in all. */
  maxSteps: number;
  /** Epochs in all, the last of which may end early. */
  numTrainEpochs: number;
  /** Rows of a micro-batch. */
  trainBatchSize: number;
  /** Tokens that were not padding. */
  numInputTokensSeen: number;
  /** Floating-point operations so far, by transformers' estimate: 6 a token and weight outside of the embeddings. */
  totalFlos: number;
  /** Every row logged so far. */
  logHistory: LogRow[];
  /** Best value of metricForBestModel so far. */
  bestMetric: number | null;
  /** Step of that value. */
  bestGlobalStep: number | null;
  /** Name of the checkpoint saved then. */
  bestModelCheckpoint: string | null;
  /** What callbacks remember, by their name, as transformers keeps it. */
  statefulCallbacks: Record<string, object>;
}

/** Steps between events, as trainer_state.json repeats them. */
export interface StepIntervals {
  readonly logging: number;
  readonly evaluation: number;
  readonly save: number;
}

/** The state of a run that has not begun. */
export function newTrainerState(): TrainerState {
  return {
    epoch: 0,
    globalStep: 0,
    maxSteps: 0,
    numTrainEpochs: 0,
    trainBatchSize: 0,
    numInputTokensSeen: 0,
    totalFlos: 0,
    logHistory: [],
    bestMetric: null,
    bestGlobalStep: null,
    bestModelCheckpoint: null,
    statefulCallbacks: {},
  };
}

/** trainer_state.json as transformers writes it: snake_case, sorted keys, two spaces. NaN is written as null. */
export function trainerStateJson(state: TrainerState, steps: StepIntervals): string {
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
    stateful_callbacks: state.statefulCallbacks,
    total_flos: state.totalFlos,
    train_batch_size: state.trainBatchSize,
    trial_name: null,
    trial_params: null,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/**
 * The state that `trainerStateJson` has written.
 *
 * @throws TrainerError BAD_CHECKPOINT
 */
export function parseTrainerState(json: Readonly<Record<string, unknown>>, place: string): TrainerState {
  const bad = (key: string): TrainerError =>
    new TrainerError('BAD_CHECKPOINT', `${place}: ${key} is ${JSON.stringify(json[key])}`, { value: json[key] });
  const number = (key: string): number => {
    const value = json[key];
    if (typeof value !== 'number') throw bad(key);
    return value;
  };
  const nullable = (key: string): number | null => (json[key] === null ? null : number(key));
  const best = json['best_model_checkpoint'];
  if (best !== null && typeof best !== 'string') throw bad('best_model_checkpoint');
  const rows = json['log_history'];
  if (!Array.isArray(rows)) throw bad('log_history');
  const callbacks = json['stateful_callbacks'];
  if (typeof callbacks !== 'object' || callbacks === null) throw bad('stateful_callbacks');
  return {
    epoch: number('epoch'),
    globalStep: number('global_step'),
    maxSteps: number('max_steps'),
    numTrainEpochs: number('num_train_epochs'),
    trainBatchSize: number('train_batch_size'),
    numInputTokensSeen: number('num_input_tokens_seen'),
    totalFlos: number('total_flos'),
    logHistory: rows.map((row: Record<string, number | null>) =>
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? NaN])),
    ),
    bestMetric: nullable('best_metric'),
    bestGlobalStep: nullable('best_global_step'),
    bestModelCheckpoint: best,
    statefulCallbacks: { ...(callbacks as Record<string, object>) },
  };
}
