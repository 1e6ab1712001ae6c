import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingArguments } from '../arguments/types';
import type { Stateful } from '../state/stateful';
import type { LogRow, TrainerState } from '../state/trainer-state';

/** What a callback may ask the trainer to do next. */
export interface TrainerControl {
  shouldTrainingStop: boolean;
  shouldLog: boolean;
  shouldEvaluate: boolean;
  shouldSave: boolean;
}

/** What every event is told. */
export interface CallbackContext {
  readonly args: TrainingArguments;
  readonly state: Readonly<TrainerState>;
  readonly control: TrainerControl;
}

type Awaitable = void | Promise<void>;

/**
 * Events of a run in transformers' order (trainer_callback.py, TrainerCallback). Each is optional. One that remembers
 * something has a name and a `stateDict`, which goes into every checkpoint.
 */
export interface TrainerCallback extends Partial<Stateful> {
  /** What its state is called in a checkpoint; transformers takes the class's name. */
  readonly name?: string;
  onTrainBegin?(context: CallbackContext): Awaitable;
  onEpochBegin?(context: CallbackContext): Awaitable;
  onStepBegin?(context: CallbackContext): Awaitable;
  /** After each micro-batch of an accumulation window but the last. */
  onSubstepEnd?(context: CallbackContext): Awaitable;
  /**
   * Once the gradients of the whole window exist, before they are clipped; multiplied by the loss scale under fp16. They are
   * the trainer's: to be read, not kept. A recorded step is cut in two where a callback listens to this.
   */
  onPreOptimizerStep?(context: CallbackContext & { readonly gradients: ReadonlyMap<string, Tensor> }): Awaitable;
  onOptimizerStep?(context: CallbackContext): Awaitable;
  onStepEnd?(context: CallbackContext): Awaitable;
  onLog?(context: CallbackContext & { readonly logs: LogRow }): Awaitable;
  onPredictionStep?(context: CallbackContext & { readonly done: number; readonly total: number }): Awaitable;
  onEvaluate?(context: CallbackContext & { readonly metrics: LogRow }): Awaitable;
  onPredict?(context: CallbackContext & { readonly metrics: LogRow }): Awaitable;
  /** Once a private copy of the checkpoint exists; `written` resolves when it lies at `checkpoint` whole. */
  onSave?(context: CallbackContext & { readonly checkpoint: string; readonly written: Promise<void> }): Awaitable;
  onEpochEnd?(context: CallbackContext): Awaitable;
  onTrainEnd?(context: CallbackContext): Awaitable;
}
