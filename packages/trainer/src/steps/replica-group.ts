import type { ActivationDtype } from '@qlora-js/gpt2';
import type { CollatedBatch } from '@qlora-js/data';
import type { NamedVariable } from '@qlora-js/optim';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import type { WindowGradients, WindowPosition } from './gradients';
import type { BatchOutput } from './outputs';

/** What both sides of a step agree on beside the rows. */
export interface ReplicaSettings {
  readonly gradientCheckpointing: boolean;
  /** What activations wait in for the backward pass. */
  readonly activationDtype: ActivationDtype;
}

/** How gradients of a window are asked for. */
export interface ReplicatedWindowOptions {
  /** What the loss that is differentiated is multiplied by, as `GradScaler` does. Default 1. */
  readonly lossScale?: number;
}

/** Copies of a model that share the work of a step or an evaluation; `Replicas` is one, over threads. */
export interface ReplicaGroup {
  /** Copies beside the model itself. */
  readonly count: number;
  /** False once they have ended. */
  readonly alive: boolean;
  /** What the trainer sets on every model before it trains. */
  configure(settings: ReplicaSettings): Promise<void>;
  /** As the function of that name, with every micro-batch's rows dealt out. */
  windowGradients<Batch extends UploadedBatch>(
    model: TrainableModel<Batch>,
    trained: readonly NamedVariable[],
    window: readonly CollatedBatch[],
    position: WindowPosition,
    options?: ReplicatedWindowOptions,
  ): Promise<WindowGradients>;
  /** Loss and logits of whole batches, in their order; `own` computes those that fall to the caller's thread. */
  outputs(
    trained: readonly NamedVariable[],
    batches: readonly CollatedBatch[],
    own: (batch: CollatedBatch) => Promise<BatchOutput>,
  ): Promise<BatchOutput[]>;
}
