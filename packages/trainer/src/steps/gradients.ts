import { add, clone, dispose, keep, mul, tidy, variableGrads, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { together } from '@qlora-js/kernels';
import type { NamedVariable } from '@qlora-js/optim';
import { TrainerError } from '../errors';
import { lossItems, uploadBatch, type TrainableModel, type UploadedBatch } from '../model/trainable-model';

/** The mean loss of an accumulation window and its gradients by parameter name; the caller disposes of all. */
export interface WindowGradients {
  readonly loss: Tensor;
  readonly gradients: Map<string, Tensor>;
}

/** How gradients of a window are computed. */
export interface WindowOptions {
  /** Multiplies the loss that is differentiated, as `GradScaler.scale` does; the loss returned is the loss as it was. */
  readonly scaleLoss?: (loss: Scalar) => Scalar;
}

/** What the dropout masks of a window are drawn for. */
export interface WindowPosition {
  readonly seed: number;
  /** Optimiser steps before it. */
  readonly step: number;
}

/** Rows that go through the model together, as a part of a window. */
export interface WindowPart {
  readonly batch: CollatedBatch;
  /** What its mean loss counts by: its share of the window's rows, or of what else the loss is a mean over. */
  readonly weight: number;
}

/**
 * Gradients of the mean loss over every row of the window (under a language model over every token that is predicted),
 * whatever way its rows are split into micro-batches: each micro-batch's mean counts by its share. (transformers 5.18
 * multiplies loss and gradient of GPT-2 classifiers by the number of micro-batches instead.)
 */
export function windowGradients<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  trained: readonly NamedVariable[],
  window: readonly CollatedBatch[],
  position: WindowPosition,
  options: WindowOptions = {},
): WindowGradients {
  return partGradients(model, trained, windowParts(model, window), position, options);
}

/**
 * Micro-batches whose rows are numbered through the window. Dropout goes by these numbers: however the rows are split into
 * micro-batches, and whoever computes them, they draw the same masks.
 */
export function placed(window: readonly CollatedBatch[]): CollatedBatch[] {
  let first = 0;
  return window.map((batch) => {
    const rows = batch.rows.map((row, index) => ({ ...row, place: first + index }));
    first += batch.batchSize;
    return { ...batch, rows };
  });
}

/** The micro-batches of a window as its parts. */
export function windowParts<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  window: readonly CollatedBatch[],
): WindowPart[] {
  const items = window.map((batch) => lossItems(model, batch));
  const total = items.reduce((sum, count) => sum + count, 0);
  return placed(window).map((batch, index) => ({ batch, weight: items[index]! / total }));
}

/** The weighted losses of some parts of a window, summed in their order, and the gradients of that sum. */
export function partGradients<Batch extends UploadedBatch>(
  model: TrainableModel<Batch>,
  trained: readonly NamedVariable[],
  parts: readonly WindowPart[],
  random: WindowPosition,
  { scaleLoss = (loss) => loss }: WindowOptions = {},
): WindowGradients {
  let total: WindowGradients | undefined;
  for (const { batch: collated, weight } of parts) {
    const batch = uploadBatch(model, collated, { random });
    const { loss, gradients } = lossGradients(
      () => scaled(model.loss(batch, { training: true }).loss, weight),
      trained,
      scaleLoss,
    );
    batch.dispose();
    total = total === undefined ? { loss, gradients } : addGradients(total, { loss, gradients });
  }
  if (total === undefined)
    throw new TrainerError('BAD_ARGUMENT', 'an accumulation window has at least one micro-batch');
  return total;
}

/** A loss and its gradients by parameter name, those of the scaled loss. */
export function lossGradients(
  compute: () => Scalar,
  trained: readonly NamedVariable[],
  scaleLoss: (loss: Scalar) => Scalar,
): WindowGradients {
  let loss: Scalar | undefined;
  const { value, grads } = variableGrads(
    () => {
      loss = keep(compute());
      return scaleLoss(loss);
    },
    trained.map(({ variable }) => variable),
  );
  if (value !== loss) value.dispose();
  // Kept past the inner scope, but not past the caller's.
  const result = clone(loss!);
  loss!.dispose();
  // The norm and the optimiser take them all at once.
  const gradients = together(trained.map(({ variable }) => grads[variable.name]!));
  return { loss: result, gradients: new Map(trained.map(({ name }, index) => [name, gradients[index]!])) };
}

/** A loss times a factor; the loss itself where that is 1. */
export function scaled(loss: Scalar, factor: number): Scalar {
  return factor === 1 ? loss : mul(loss, factor);
}

/** The sums of both, which are disposed of. */
export function addGradients(a: WindowGradients, b: WindowGradients): WindowGradients {
  const sum = (x: Tensor, y: Tensor): Tensor => {
    const result = tidy(() => keep(add(x, y)));
    dispose([x, y]);
    return result;
  };
  return {
    loss: sum(a.loss, b.loss),
    gradients: new Map([...a.gradients].map(([name, gradient]) => [name, sum(gradient, b.gradients.get(name)!)])),
  };
}
