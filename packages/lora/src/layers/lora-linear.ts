import {
  add,
  customGrad,
  div,
  mul,
  norm,
  reshape,
  sub,
  tidy,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import {
  Dropout,
  forwardWithAdditions,
  gemm,
  LinearLayer,
  Module,
  Parameter,
  type ForwardContext,
  type LinearAdditions,
  type LoraTerm,
} from '@qlora-js/kernels';
import { LoraError } from '../errors';

/** One adapter's weights on one layer. */
export interface LoraWeights {
  /** [r, inFeatures] */
  readonly a: Tensor2D;
  /** [outFeatures, r] */
  readonly b: Tensor2D;
  readonly scaling: number;
  readonly dropout: number;
  /** DoRA's magnitude [outFeatures]; absent for plain LoRA. */
  readonly magnitude?: Tensor1D;
}

interface Adapter {
  readonly a: Parameter;
  readonly b: Parameter;
  readonly scaling: number;
  readonly dropout: Dropout;
  readonly magnitude: Parameter | undefined;
}

/**
 * A frozen linear layer with low-rank updates beside it: y = base(x) + scaling * B(A(dropout(x))), the sum over the
 * active adapters (Hu et al. 2021, section 4.1; peft/tuners/lora/layer.py, Linear). Children carry PEFT's names:
 * base_layer, lora_A.NAME, lora_B.NAME.
 */
export class LoraLinear extends LinearLayer {
  readonly inFeatures: number;
  readonly outFeatures: number;
  private readonly adapters = new Map<string, Adapter>();
  private readonly dicts = {
    dropout: new ModuleDict(),
    a: new ModuleDict(),
    b: new ModuleDict(),
    magnitude: new ModuleDict(),
  };
  private active: readonly string[] = [];

  constructor(base: LinearLayer) {
    super();
    this.inFeatures = base.inFeatures;
    this.outFeatures = base.outFeatures;
    this.storedLayout = base.storedLayout;
    this.setChild('base_layer', base);
    this.setChild('lora_dropout', this.dicts.dropout);
    this.setChild('lora_A', this.dicts.a);
    this.setChild('lora_B', this.dicts.b);
    this.setChild('lora_magnitude_vector', this.dicts.magnitude);
  }

  get base(): LinearLayer {
    return this.child('base_layer') as LinearLayer;
  }

  get adapterNames(): readonly string[] {
    return [...this.adapters.keys()];
  }

  /** Takes over the tensors of `weights`. */
  addAdapter(name: string, weights: LoraWeights): void {
    if (this.adapters.has(name))
      throw new LoraError('BAD_ARGUMENT', `there is an adapter '${name}' already; choose another name or delete it`);
    const adapter: Adapter = {
      a: new Parameter(weights.a),
      b: new Parameter(weights.b),
      scaling: weights.scaling,
      dropout: new Dropout(weights.dropout),
      magnitude: weights.magnitude === undefined ? undefined : new Parameter(weights.magnitude),
    };
    this.adapters.set(name, adapter);
    this.dicts.dropout.setChild(name, adapter.dropout);
    this.dicts.a.setChild(name, new Weight(adapter.a));
    this.dicts.b.setChild(name, new Weight(adapter.b));
    if (adapter.magnitude !== undefined) this.dicts.magnitude.setChild(name, new Weight(adapter.magnitude));
  }

  /** Frees an adapter's weights; nothing happens where the layer has none under that name. */
  deleteAdapter(name: string): void {
    this.adapters.delete(name);
    for (const dict of Object.values(this.dicts)) dict.removeChild(name)?.dispose();
  }

  /** Which adapters a forward pass adds, in this order; names without weights here are passed over. */
  setActive(names: readonly string[]): void {
    this.active = names;
  }

  forward(x: Tensor2D, context: ForwardContext): Tensor2D {
    return this.forwardWith(x, context, {});
  }

  override forwardWith(x: Tensor2D, context: ForwardContext, additions: LinearAdditions): Tensor2D {
    const [adapter, ...others] = this.activeAdapters();
    if (adapter !== undefined && adapter.magnitude === undefined && others.length === 0 && !additions.lora) {
      return this.base.forwardWith(x, context, { ...additions, lora: term(adapter, context) });
    }
    return forwardWithAdditions(x, (taken) => this.sumOfAdapters(taken, context), additions);
  }

  private sumOfAdapters(x: Tensor2D, context: ForwardContext): Tensor2D {
    let y = this.base.forward(x, context);
    const baseOutput = y;
    for (const adapter of this.activeAdapters()) {
      const dropped = adapter.dropout.forward(x, context);
      const inner = gemm(dropped, adapter.a.value as Tensor2D, { transposeB: true });
      const update = gemm(inner, adapter.b.value as Tensor2D, { transposeB: true, alpha: adapter.scaling });
      if (adapter.magnitude === undefined) {
        y = add(y, update);
      } else {
        const output = dropped === x ? baseOutput : this.base.forward(dropped, context);
        y = add(y, this.directional(adapter, adapter.magnitude, output, update));
      }
    }
    return y;
  }

  denseWeight(): Tensor2D {
    return this.base.denseWeight();
  }

  withWeight(weight: Tensor2D): LinearLayer {
    return this.base.withWeight(weight);
  }

  /** What `weight` [outFeatures, inFeatures] becomes with the named adapters added, newly made. */
  mergedWeight(weight: Tensor2D, names: readonly string[]): Tensor2D {
    return tidy(() => {
      let merged: Tensor2D = weight.clone();
      for (const name of names) {
        const adapter = this.adapters.get(name);
        if (adapter === undefined) continue;
        merged = add(merged, delta(adapter));
        if (adapter.magnitude !== undefined) {
          // With one adapter W' = m (W + s B A) / ||W + s B A||; PEFT merges DoRA adapters one after another too.
          const factor = div<Tensor1D>(adapter.magnitude.value, norm(merged, 2, 1));
          merged = mul(merged, reshape(factor, [-1, 1]));
        }
      }
      return merged;
    });
  }

  private *activeAdapters(): Generator<Adapter> {
    for (const name of this.active) {
      const adapter = this.adapters.get(name);
      if (adapter !== undefined) yield adapter;
    }
  }

  /** DoRA's addition to the base output: (m / n - 1) * W x + m / n * s B A x, n held constant (Liu et al. 2024, 4.3). */
  private directional(adapter: Adapter, magnitude: Parameter, output: Tensor2D, update: Tensor2D): Tensor2D {
    const weightNorm = detached(() => {
      const weight = this.base.denseWeight();
      return norm(add(weight, delta(adapter)), 2, 1);
    });
    const factor = div(magnitude.value, weightNorm);
    const bias = biasOf(this.base);
    const withoutBias = bias === undefined ? output : sub(output, bias);
    return add<Tensor2D>(mul(sub(factor, 1), withoutBias), mul(factor, update));
  }
}

function term({ a, b, scaling, dropout }: Adapter, context: ForwardContext): LoraTerm {
  const options = dropout.options(context);
  return {
    a: a.value as Tensor2D,
    b: b.value as Tensor2D,
    scaling,
    ...(options === undefined ? {} : { dropout: options }),
  };
}

/** scaling * B A, [outFeatures, inFeatures] */
function delta(adapter: Adapter): Tensor2D {
  return gemm(adapter.b.value as Tensor2D, adapter.a.value as Tensor2D, { alpha: adapter.scaling });
}

function biasOf(layer: LinearLayer): Tensor | undefined {
  for (const [name, parameter] of layer.namedParameters()) if (name === 'bias') return parameter.value;
  return undefined;
}

/** A value that gradients do not flow through. */
function detached(compute: () => Tensor): Tensor {
  return customGrad(() => ({ value: compute(), gradFunc: () => [] }))();
}

class ModuleDict extends Module {}

class Weight extends Module {
  constructor(weight: Parameter) {
    super();
    this.setParameter('weight', weight);
  }
}
