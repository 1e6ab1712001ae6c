import type { CollatedBatch } from '@qlora-js/data';
import type { BatchOutput } from '../steps/outputs';
import type { WindowPart, WindowPosition } from '../steps/gradients';
import type { ReplicaSettings } from '../steps/replica-group';

/** A trained variable as both sides have to have it. */
export interface VariableShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What the main thread asks of a replica; each request has one answer, in order. */
export type ReplicaRequest =
  | { readonly kind: 'setUp'; readonly setup: unknown }
  | { readonly kind: 'configure'; readonly settings: ReplicaSettings }
  | {
      readonly kind: 'gradients';
      /** Values of every trained variable, end to end. */
      readonly parameters: Float32Array<ArrayBuffer>;
      readonly parts: readonly WindowPart[];
      readonly position: WindowPosition;
      readonly lossScale: number;
    }
  | {
      readonly kind: 'outputs';
      readonly parameters: Float32Array<ArrayBuffer>;
      readonly batches: readonly CollatedBatch[];
    };

export type ReplicaAnswer =
  | { readonly kind: 'ready'; readonly variables: readonly VariableShape[] }
  | { readonly kind: 'configured' }
  /** The loss as it is, and the scaled loss's gradients end to end in the order of the variables. */
  | { readonly kind: 'gradients'; readonly loss: number; readonly gradients: Float32Array<ArrayBuffer> }
  | { readonly kind: 'outputs'; readonly outputs: readonly BatchOutput[] };
