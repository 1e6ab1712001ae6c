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
import { layTogether, PlanCache, type Device } from '@qlora-js/kernels';
import type { UploadedBatch } from '../model/trainable-model';
import { lossGradients, windowParts, type WindowGradients, type WindowPosition } from './gradients';
import { measure, update, type StepMoments, type StepParts, type StepPosition, type TrainingSteps } from './recipe';
import { numberInput, replay, ROW_MULTIPLE, type HostInputs } from './replay';

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

  async step(window: readonly CollatedBatch[], position: StepPosition, moments: StepMoments = {}): Promise<void> {
    const { losses } = this.parts;
    const { seed, step, learningRate } = position;
    const perStep: HostInputs = { learningRate: numberInput(learningRate), keepLosses: numberInput(losses.keep) };
    const [only, ...others] = window;
    if (only !== undefined && others.length === 0 && moments.gradientsReady === undefined) {
      await replay(this.whole, { ...this.batchValues(only, { seed, step }), ...perStep });
    } else {
      await this.accumulate(window, position, moments);
      await moments.gradientsReady?.(this.accumulatedGradients());
      await replay(this.update, perStep);
    }
    await losses.counted(step);
    this.inFlight.push(this.device.gpuDevice!.queue.onSubmittedWorkDone());
    if (this.inFlight.length > STEPS_IN_FLIGHT) await this.inFlight.shift();
  }

  dispose(): void {
    for (const cache of [this.whole, this.micro, this.update]) cache.dispose();
    this.accumulators?.forEach((held) => held.dispose());
  }

  private async accumulate(
    window: readonly CollatedBatch[],
    position: WindowPosition,
    { substepEnd }: StepMoments,
  ): Promise<void> {
    this.accumulators ??= this.makeAccumulators();
    for (const [index, { batch, weight }] of windowParts(this.parts.model, window).entries()) {
      if (index > 0) await substepEnd?.();
      await replay(this.micro, {
        ...this.batchValues(batch, position),
        share: numberInput(weight),
        carry: numberInput(index === 0 ? 0 : 1),
      });
    }
  }

  private batchValues(batch: CollatedBatch, { seed, step }: WindowPosition): HostInputs {
    return this.parts.model.inputs(batch, { rowMultiple: ROW_MULTIPLE, random: { seed, step } });
  }

  private recordWhole({ learningRate, keepLosses, ...batch }: Inputs): { loss: Tensor } {
    const computed = this.gradients(batch, (value) => value);
    this.apply(computed, { learningRate: learningRate!, keepLosses: keepLosses! });
    return { loss: computed.loss };
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
    const loss = this.accumulators!.at(-1)! as Tensor;
    const computed = { loss, gradients: this.accumulatedGradients() };
    return { norm: this.apply(computed, { learningRate: learningRate!, keepLosses: keepLosses! }) };
  }

  private accumulatedGradients(): Map<string, Tensor> {
    return new Map(this.parts.trained.map(({ name }, index) => [name, this.accumulators![index]! as Tensor]));
  }

  private gradients(tensors: Inputs, weighted: (loss: Scalar) => Scalar): WindowGradients {
    const { model, trained, scaler } = this.parts;
    const batch = model.batchOf(tensors);
    return lossGradients(
      () => weighted(model.loss(batch, { training: true }).loss),
      trained,
      (loss) => scaler.scale(loss),
    );
  }

  private apply(
    computed: WindowGradients,
    { learningRate, keepLosses }: { readonly learningRate: Tensor; readonly keepLosses: Tensor },
  ): Tensor {
    const { norm, control } = measure(this.parts, computed, keepLosses);
    update(this.parts, computed.gradients, { learningRate: learningRate as Tensor1D, control });
    return norm;
  }

  private makeAccumulators(): Variable[] {
    const shapes = [...this.parts.trained.map(({ variable: { shape } }) => shape), [1]];
    const accumulators = shapes.map((shape) => tidy(() => variable(zeros(shape), false)));
    layTogether(accumulators);
    return accumulators;
  }
}
