import type { Tensor } from '@tensorflow/tfjs-core';
import { isTaped, runOnTape } from '../tfjs/tape';
import { activeKeeper, type ActivationKeeper, type KeptActivation } from './kept-activations';
import { listed, present, unlisted, type NamedTensors } from './tensors';

/** Some of an op's inputs and of its outputs, by name. */
export interface Selection<Inputs, Outputs> {
  readonly inputs?: readonly (keyof Inputs & string)[];
  readonly outputs?: readonly (keyof Outputs & string)[];
}

/** What a backward pass is given. */
export interface BackwardPass<Inputs, Attributes, Outputs> {
  /** Gradients by the outputs, of the same names. */
  readonly dy: Outputs;
  /** Of the inputs those that were saved; one that was absent is absent here. */
  readonly inputs: Inputs;
  /** Of the outputs those that were saved. */
  readonly outputs: Outputs;
  readonly attributes: Attributes;
}

export interface OpGradient<Inputs extends NamedTensors, Attributes extends object, Outputs extends object = Tensor> {
  /** What the backward pass reads. */
  readonly saves: Selection<Inputs, Outputs>;
  /**
   * What of it is an activation, float32 and as large as a batch: `saveActivationsInFloat16` has it kept in half the
   * memory.
   */
  readonly activations?: Selection<Inputs, Outputs>;
  /** An output that costs little to compute again from what is kept of an input. */
  readonly recomputed?: { readonly output: keyof Outputs & string; readonly from: keyof Inputs & string };
  /** Gradients by input name, each computed only when something upstream of that input is trained. */
  readonly backward: (
    pass: BackwardPass<Inputs, Attributes, Outputs>,
  ) => Partial<Record<keyof Inputs & string, () => Tensor>>;
}

/** Outputs out of inputs. */
export type Forward<Inputs, Attributes, Outputs> = (inputs: Inputs, attributes: Attributes) => Outputs;

/**
 * `forward` with a gradient of its own: one node of the tape, whatever it runs. tfjs' registry of gradients saves inputs
 * that are always there and outputs by position; here what is absent is left out, and all else goes by name.
 */
export function differentiable<Inputs extends NamedTensors, Attributes extends object, Outputs extends object = Tensor>(
  forward: Forward<Inputs, Attributes, Outputs>,
  gradient: OpGradient<Inputs, Attributes, Outputs>,
): Forward<Inputs, Attributes, Outputs> {
  return (inputs, attributes) => {
    if (!isTaped()) return forward(inputs, attributes);
    const keeper = gradient.activations === undefined ? undefined : activeKeeper();
    const outputs = runTaped(forward, gradient, { inputs, attributes, keeper });
    if (keeper !== undefined && gradient.recomputed !== undefined) {
      const { output, from } = gradient.recomputed;
      const again = (source: Tensor): NamedTensors =>
        forward({ ...inputs, [from]: source }, attributes) as NamedTensors;
      keeper.recompute((outputs as NamedTensors)[output]!, inputs[from]!, (source) => again(source)[output]!);
    }
    return outputs;
  };
}

/** One tensor that waits for the backward pass. */
interface SavedTensor {
  readonly side: 'inputs' | 'outputs';
  readonly name: string;
  readonly tensor: Tensor;
  /** Where it is kept otherwise than it is. */
  readonly restore: KeptActivation['restore'] | undefined;
}

function runTaped<Inputs extends NamedTensors, Attributes extends object, Outputs extends object>(
  forward: Forward<Inputs, Attributes, Outputs>,
  { saves, activations = {}, backward }: OpGradient<Inputs, Attributes, Outputs>,
  call: { readonly inputs: Inputs; readonly attributes: Attributes; readonly keeper: ActivationKeeper | undefined },
): Outputs {
  const { inputs, attributes, keeper } = call;
  const asActivations: Partial<Record<SavedTensor['side'], readonly string[]>> = activations;
  let outputs: Outputs | undefined;
  let names: readonly string[] | undefined;
  let waiting: SavedTensor[] = [];
  runOnTape({
    inputs: present(inputs),
    forward: (save) => {
      outputs = forward(inputs, attributes);
      const from = { inputs, outputs: outputs as NamedTensors };
      waiting = (['inputs', 'outputs'] as const).flatMap((side) =>
        (saves[side] ?? []).flatMap((name): SavedTensor[] => {
          const tensor = from[side][name];
          if (tensor === undefined) return [];
          const kept = asActivations[side]?.includes(name) === true ? keeper?.keep(tensor) : undefined;
          return [{ side, name, tensor: kept?.kept ?? tensor, restore: kept?.restore }];
        }),
      );
      save(waiting.map(({ tensor }) => tensor));
      const result = listed<Tensor>(outputs);
      ({ names } = result);
      return result.list;
    },
    backward: (dys, saved) => {
      const read = { inputs: {} as NamedTensors, outputs: {} as NamedTensors };
      const restored = keeper?.restore(
        waiting.flatMap(({ restore }, i) => (restore === undefined ? [] : [{ kept: saved[i]!, restore }])),
      );
      waiting.forEach(({ side, name, restore }, i) => {
        read[side][name] = restore === undefined ? saved[i]! : restored!.shift()!;
      });
      const dy = unlisted<Outputs>({ list: dys, names });
      const pass = { dy, inputs: read.inputs as Inputs, outputs: read.outputs as Outputs, attributes };
      return backward(pass) as Record<string, () => Tensor>;
    },
  });
  return outputs!;
}
