import type { Tensor } from '@tensorflow/tfjs-core';
import type { CollatedBatch } from '@qlora-js/data';
import { PlanCache, type Device } from '@qlora-js/kernels';
import type { TrainableModel, UploadedBatch } from '../model/trainable-model';
import { numberInput, replay, ROW_MULTIPLE } from '../steps/replay';

type Tensors = Readonly<Record<string, Tensor>>;

/** Passes of an evaluation as plans on a GPU, recorded once for each shape of a batch. */
export class PlannedPasses {
  private readonly plans: PlanCache<string, Record<string, Tensor>>;

  /** @param pass what a pass computes of its inputs: a batch's tensors and `keep` and `items` */
  constructor(device: Device, pass: (inputs: Tensors) => Record<string, Tensor>) {
    this.plans = new PlanCache(device, pass, { name: 'evaluation' });
  }

  /** One pass over a batch; its outputs can be read from what is returned. */
  replay<Batch extends UploadedBatch>(
    model: TrainableModel<Batch>,
    collated: CollatedBatch,
    { keep, items }: { readonly keep: number; readonly items: number },
  ): ReturnType<typeof replay<Record<string, Tensor>>> {
    const inputs = model.inputs(collated, { rowMultiple: ROW_MULTIPLE });
    return replay(this.plans, { ...inputs, keep: numberInput(keep), items: numberInput(items) });
  }

  dispose(): void {
    this.plans.dispose();
  }
}
