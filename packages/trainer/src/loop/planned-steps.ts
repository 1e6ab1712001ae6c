import {
  add,
  greater,
  mul,
  reshape,
  tidy,
  variable,
  where,
  zeros,
  zerosLike,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { PlanCache, randomWords, type Device } from '@qlora-js/kernels';
import type { HostInput, UploadedBatch } from '../model/trainable-model';
import { numberInput, replay, ROW_MULTIPLE, type HostInputs } from '../plan/replay';
import { lossGradients, type WindowGradients, type WindowPosition } from './gradients';
import { clip, type StepParts, type TrainingSteps } from './step-parts';

/** Steps that may wait on the GPU before the host waits: enough that it never runs dry. */
const STEPS_IN_FLIGHT = 4;

type Inputs = Readonly<Record<string, Tensor>>;

/**
 * Training steps as recorded plans: forward, backward, clipping, the optimiser and the sum of the losses in one replay a
 * window. A window of several micro-batches is a replay for each, which adds to accumulators, and one for the update.
 */
export class PlannedSteps<Batch extends UploadedBatch> implements TrainingSteps {
  private readonly whole: PlanCache<string, { loss: Tensor }>;
  private readonly micro: PlanCache<string, { loss: Tensor }>;
  private readonly update: PlanCache<string, { norm: Tensor }>;
  private readonly inFlight: Promise<void>[] = [];
  /** Sums of a window's gradients, in the order of the trained variables, and of its loss. */
  private accumulators: readonly Variable[] | undefined;

  constructor(
    private readonly parts: StepParts<Batch>,
    private readonly device: Device,
  ) {
    const { optimizer } = parts;
    this.whole = new PlanCache(device, (inputs: Inputs) => this.recordWhole(inputs), { name: 'training step' });
    this.micro = new PlanCache(device, (inputs: Inputs) => this.recordMicro(inputs), { name: 'micro-batch' });
    this.update = new PlanCache(device, (inputs: Inputs) => this.recordUpdate(inputs), { name: optimizer.name });
  }

  async step(window: readonly CollatedBatch[], { seed, step }: WindowPosition, learningRate: number): Promise<void> {
    const { losses } = this.parts;
    const perStep: HostInputs = { learningRate: numberInput(learningRate), keepLosses: numberInput(losses.keep) };
    const [only, ...others] = window;
    if (only !== undefined && others.length === 0) {
      replay(this.whole, { ...this.batchValues(only, { seed, step, microBatch: 0 }), ...perStep });
    } else {
      const rows = window.reduce((sum, { batchSize }) => sum + batchSize, 0);
      this.accumulators ??= this.makeAccumulators();
      window.forEach((batch, microBatch) => {
        replay(this.micro, {
          ...this.batchValues(batch, { seed, step, microBatch }),
          share: numberInput(batch.batchSize / rows),
          carry: numberInput(microBatch === 0 ? 0 : 1),
        });
      });
      replay(this.update, perStep);
    }
    await losses.counted(step);
    this.inFlight.push(this.device.gpuDevice!.queue.onSubmittedWorkDone());
    if (this.inFlight.length > STEPS_IN_FLIGHT) await this.inFlight.shift();
  }

  dispose(): void {
    for (const cache of [this.whole, this.micro, this.update]) cache.dispose();
    this.accumulators?.forEach((held) => held.dispose());
  }

  private batchValues(batch: CollatedBatch, position: WindowPosition & { readonly microBatch: number }): HostInputs {
    const random: HostInput = { values: randomWords(position), shape: [4], dtype: 'int32' };
    return { ...this.parts.model.inputs(batch, { rowMultiple: ROW_MULTIPLE }), random };
  }

  private recordWhole({ learningRate, keepLosses, ...batch }: Inputs): { loss: Tensor } {
    const { loss, gradients } = this.gradients(batch, (value) => value);
    this.apply(loss, gradients, { learningRate: learningRate!, keepLosses: keepLosses! });
    return { loss };
  }

  private recordMicro({ share, carry, ...batch }: Inputs): { loss: Tensor } {
    const { loss, gradients } = this.gradients(batch, (value) => mul(value, reshape(share!, [])));
    tidy(() => {
      [...gradients.values(), reshape(loss, [1])].forEach((value, index) => {
        const sum = this.accumulators![index]!;
        // Chosen, not multiplied: what an overflow has left must not outlive its window.
        const carried = where(greater(carry!, 0), sum as Tensor, zerosLike(sum));
        sum.assign(add(carried, value));
      });
    });
    return { loss };
  }

  private recordUpdate({ learningRate, keepLosses }: Inputs): { norm: Tensor } {
    const sums = this.accumulators! as readonly Tensor[];
    const gradients = new Map(this.parts.trained.map(({ name }, index) => [name, sums[index]!]));
    const norm = this.apply(sums.at(-1)!, gradients, { learningRate: learningRate!, keepLosses: keepLosses! });
    return { norm };
  }

  private gradients({ random, ...tensors }: Inputs, weighted: (loss: Scalar) => Scalar): WindowGradients {
    const { model, trained, scaler } = this.parts;
    const batch = model.batchOf(tensors);
    return lossGradients(
      () => weighted(model.loss(batch, { training: true, random: random as Tensor1D }).loss),
      trained,
      (loss) => scaler.scale(loss),
    );
  }

  private apply(
    loss: Tensor,
    gradients: ReadonlyMap<string, Tensor>,
    { learningRate, keepLosses }: { readonly learningRate: Tensor; readonly keepLosses: Tensor },
  ): Tensor {
    const { optimizer, losses, scaler } = this.parts;
    const { norm, control } = clip(this.parts, gradients);
    losses.record(loss, norm, keepLosses);
    optimizer.stepSync(gradients, { learningRate: learningRate as Tensor1D, control });
    scaler.update(control);
    return norm;
  }

  private makeAccumulators(): Variable[] {
    const shapes = [...this.parts.trained.map(({ variable: { shape } }) => shape), [1]];
    return shapes.map((shape) => tidy(() => variable(zeros(shape), false)));
  }
}
