import type { TrainingArguments } from '../arguments/training-arguments';
import type { LogRow, TrainerState } from '../state/trainer-state';

/** What a callback may ask the trainer to do next. */
export interface TrainerControl {
  shouldTrainingStop: boolean;
  shouldLog: boolean;
  shouldEvaluate: boolean;
  shouldSave: boolean;
}

export interface CallbackContext {
  readonly args: TrainingArguments;
  readonly state: Readonly<TrainerState>;
  readonly control: TrainerControl;
}

type Awaitable = void | Promise<void>;

/** Events of a run in transformers' order (trainer_callback.py, TrainerCallback). Each is optional. */
export interface TrainerCallback {
  onTrainBegin?(context: CallbackContext): Awaitable;
  onEpochBegin?(context: CallbackContext): Awaitable;
  onStepBegin?(context: CallbackContext): Awaitable;
  /** After each micro-batch of an accumulation window but the last. */
  onSubstepEnd?(context: CallbackContext): Awaitable;
  onPreOptimizerStep?(context: CallbackContext): Awaitable;
  onOptimizerStep?(context: CallbackContext): Awaitable;
  onStepEnd?(context: CallbackContext): Awaitable;
  onLog?(context: CallbackContext & { readonly logs: LogRow }): Awaitable;
  onPredictionStep?(context: CallbackContext & { readonly done: number; readonly total: number }): Awaitable;
  onEvaluate?(context: CallbackContext & { readonly metrics: LogRow }): Awaitable;
  onSave?(context: CallbackContext & { readonly checkpoint: string }): Awaitable;
  onEpochEnd?(context: CallbackContext): Awaitable;
  onTrainEnd?(context: CallbackContext): Awaitable;
}
