import { variable, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';

/**
 * A weight of a module: a plain tensor while frozen, a tfjs variable while trained. `logicalSize` counts weights as
 * PEFT does: a 4-bit parameter counts every weight it stands for.
 */
export class Parameter {
  private tensor: Tensor;

  constructor(
    tensor: Tensor,
    readonly logicalSize: number = tensor.size,
  ) {
    this.tensor = tensor;
  }

  get value(): Tensor {
    return this.tensor;
  }

  get requiresGrad(): boolean {
    return isVariable(this.tensor);
  }

  get shape(): number[] {
    return this.tensor.shape;
  }

  /** The variable to train; call only while `requiresGrad`. */
  get variable(): Variable {
    if (!isVariable(this.tensor))
      throw new KernelError('BAD_ARGUMENT', 'a frozen parameter has no variable; call setRequiresGrad(true) first');
    return this.tensor;
  }

  /** Makes the parameter trained or frozen; its values stay. */
  setRequiresGrad(requiresGrad: boolean): void {
    if (requiresGrad === this.requiresGrad) return;
    const before = this.tensor;
    this.tensor = requiresGrad ? variable(before, true) : before.clone();
    before.dispose();
  }

  /** Replaces the values, disposing of the old ones; takes over `tensor`. */
  assign(tensor: Tensor): void {
    if (isVariable(this.tensor)) {
      this.tensor.assign(tensor);
    } else {
      this.tensor.dispose();
      this.tensor = tensor;
      return;
    }
    if (tensor !== (this.tensor as Tensor)) tensor.dispose();
  }

  dispose(): void {
    if (!this.tensor.isDisposed) this.tensor.dispose();
  }
}

function isVariable(tensor: Tensor): tensor is Variable {
  return 'trainable' in tensor;
}
