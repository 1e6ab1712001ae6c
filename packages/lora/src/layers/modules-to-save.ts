import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { Linear, LinearLayer, Module, type ForwardContext, type LinearAdditions } from '@qlora-js/kernels';

/**
 * A layer kept frozen beside one trained copy an adapter, as peft/utils/other.py ModulesToSaveWrapper; both are
 * counted among all parameters. A copy is dense, whatever the layer is: 4 bits take no gradient.
 */
export class ModulesToSaveLinear extends LinearLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  private readonly copies = new ModuleDict();
  private active: readonly string[] = [];

  constructor(original: LinearLayer) {
    super();
    this.inFeatures = original.inFeatures;
    this.outFeatures = original.outFeatures;
    this.storedLayout = original.storedLayout;
    this.setChild('original_module', original);
    this.setChild('modules_to_save', this.copies);
  }

  get original(): LinearLayer {
    return this.child('original_module') as LinearLayer;
  }

  copy(name: string): LinearLayer | undefined {
    return this.copies.child(name) as LinearLayer | undefined;
  }

  addAdapter(name: string): LinearLayer {
    const copy = new Linear(this.original.denseWeight(), biasCopy(this.original));
    copy.storedLayout = this.storedLayout;
    this.copies.setChild(name, copy);
    return copy;
  }

  /** Frees an adapter's copy, if there is one. */
  deleteAdapter(name: string): void {
    this.copies.removeChild(name)?.dispose();
  }

  setActive(names: readonly string[]): void {
    this.active = names;
  }

  /** The copy of the first active adapter that has one; the original where none is active. */
  get current(): LinearLayer {
    for (const name of this.active) {
      const copy = this.copy(name);
      if (copy !== undefined) return copy;
    }
    return this.original;
  }

  forward(x: Tensor2D, context: ForwardContext): Tensor2D {
    return this.current.forward(x, context);
  }

  override forwardWith(x: Tensor2D, context: ForwardContext, additions: LinearAdditions): Tensor2D {
    return this.current.forwardWith(x, context, additions);
  }

  denseWeight(): Tensor2D {
    return this.current.denseWeight();
  }

  withWeight(weight: Tensor2D): LinearLayer {
    return this.original.withWeight(weight);
  }
}

class ModuleDict extends Module {}

/** A linear layer's bias, newly made; undefined where it has none. */
export function biasCopy(layer: LinearLayer): Tensor1D | undefined {
  for (const [name, parameter] of layer.namedParameters())
    if (name === 'bias') return parameter.value.clone() as Tensor1D;
  return undefined;
}
