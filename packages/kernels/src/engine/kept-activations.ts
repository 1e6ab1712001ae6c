import { keep, tidy, type DataId, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { isTaped } from '../tfjs/tape';

/** What waits for the backward pass in an activation's place. */
export interface KeptActivation {
  readonly kept: Tensor;
  readonly restore: (kept: Tensor) => Tensor;
}

/** The two halves of a representation that activations are kept in. */
export interface ActivationFormat {
  pack(activation: Tensor): Tensor1D;
  unpack(packed: Tensor1D, shape: readonly number[]): Tensor;
}

let current: ActivationKeeper | undefined;

/** The keeper that ops recorded on a tape now go by, if one is set. */
export function activeKeeper(): ActivationKeeper | undefined {
  return isTaped() ? current : undefined;
}

/** Runs `forward` so that what its ops save for their backward passes is kept in `format`. */
export function keepActivations<Result>(format: ActivationFormat, forward: () => Result): Result {
  const outer = current;
  const keeper = new ActivationKeeper(format);
  current = keeper;
  try {
    return forward();
  } finally {
    current = outer;
    keeper.release();
  }
}

/** Packs each activation once, whichever and how many ops keep it. */
export class ActivationKeeper {
  private readonly packed = new Map<DataId, Tensor1D>();
  private readonly recipes = new Map<DataId, () => KeptActivation>();
  private restored: Tensor[] = [];

  constructor(private readonly format: ActivationFormat) {}

  keep(activation: Tensor): KeptActivation {
    const recipe = this.recipes.get(activation.dataId);
    if (recipe !== undefined) return recipe();
    let packed = this.packed.get(activation.dataId);
    if (packed === undefined) {
      packed = keep(this.format.pack(activation));
      this.packed.set(activation.dataId, packed);
    }
    const { shape } = activation;
    return { kept: packed, restore: (kept) => this.format.unpack(kept as Tensor1D, shape) };
  }

  /** What depends on one kept activation and costs little is computed again instead of being kept. */
  recompute(result: Tensor, source: Tensor, compute: (source: Tensor) => Tensor): void {
    this.recipes.set(result.dataId, () => {
      const { kept, restore } = this.keep(source);
      return { kept, restore: (again) => tidy(() => compute(restore(again))) };
    });
  }

  /**
   * The activations a node of the tape reads. tfjs walks one node after the other and frees what backward passes made
   * at the very end; what the node before had restored goes here instead.
   */
  restore(waiting: readonly KeptActivation[]): Tensor[] {
    for (const tensor of this.restored) tensor.dispose();
    this.restored = waiting.map(({ kept, restore }) => restore(kept));
    return [...this.restored];
  }

  /** The tape has its own references by now. */
  release(): void {
    for (const tensor of this.packed.values()) tensor.dispose();
    this.packed.clear();
    this.recipes.clear();
  }
}
