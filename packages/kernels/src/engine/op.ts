import {
  engine,
  registerGradient,
  registerKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { wasmContext, type WasmContext } from '../wasm/context';
import { activeKeeper, type ActivationKeeper, type KeptActivation } from './kept-activations';

/** Inputs of an op by name; an optional input is absent, never null. */
export type OpInputs = Record<string, Tensor | undefined>;

type InfoOf<Inputs extends OpInputs> = {
  [K in keyof Inputs]: Inputs[K] extends Tensor ? TensorInfo : TensorInfo | undefined;
};

/** What an op is made of; one folder under ops/ each. */
export interface OpDefinition<Inputs extends OpInputs, Attributes extends object> {
  /** Name in tfjs' kernel registry. */
  readonly name: string;
  /** The meaning, out of tfjs ops, on any backend; returns every output in order. */
  readonly compose: (inputs: Inputs, attributes: Attributes) => Tensor[];
  /** The same on the memory of tfjs-backend-wasm. */
  readonly wasm?: (inputs: InfoOf<Inputs>, attributes: Attributes, context: WasmContext) => TensorInfo[];
  /** The same in WGSL. */
  readonly webgpu?: (inputs: InfoOf<Inputs>, attributes: Attributes, backend: WebGPUBackend) => TensorInfo[];
  readonly gradient?: OpGradient<Inputs, Attributes>;
}

export interface OpGradient<Inputs extends OpInputs, Attributes extends object> {
  /** Inputs the backward pass reads. */
  readonly saveInputs: readonly (keyof Inputs & string)[];
  /** Indices of the outputs the backward pass reads. */
  readonly saveOutputs?: readonly number[];
  /**
   * Those of both that are activations, float32 and as large as a batch: `saveActivationsInFloat16` has them kept in
   * half the memory.
   */
  readonly activations?: { readonly inputs?: readonly (keyof Inputs & string)[]; readonly outputs?: readonly number[] };
  /** An input whose kept copy is enough to compute the first output again at little cost. */
  readonly recomputedFrom?: keyof Inputs & string;
  /**
   * Gradients by input name, each computed only when something upstream of that input is trained.
   * `saved` holds the inputs named above and then the outputs, in order.
   */
  readonly backward: (
    dy: Tensor[],
    saved: Tensor[],
    attributes: Attributes,
  ) => Partial<Record<keyof Inputs & string, () => Tensor>>;
}

/** Backends that get an op's `compose` unless it brings a kernel of its own. */
const BACKENDS = ['cpu', 'wasm', 'tensorflow', 'webgpu'] as const;

/** An op ready to be called: outputs in the definition's order. */
export type Op<Inputs extends OpInputs, Attributes extends object> = (
  inputs: Inputs,
  attributes: Attributes,
) => Tensor[];

/** Registers an op's kernels and gradient with tfjs and returns the function that runs it. */
export function defineOp<Inputs extends OpInputs, Attributes extends object>(
  definition: OpDefinition<Inputs, Attributes>,
): Op<Inputs, Attributes> {
  const { name, compose, wasm, webgpu, gradient } = definition;
  const composed = (inputs: object, attributes: object): TensorInfo[] =>
    engine().tidy(() => compose(inputs as Inputs, attributes as Attributes));
  for (const backendName of BACKENDS) {
    registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const attributes = (attrs ?? {}) as Attributes;
        if (backendName === 'wasm' && wasm !== undefined) {
          return wasm(inputs as InfoOf<Inputs>, attributes, wasmContext(backend as BackendWasm));
        }
        if (backendName === 'webgpu' && webgpu !== undefined) {
          return webgpu(inputs as InfoOf<Inputs>, attributes, backend as WebGPUBackend);
        }
        return composed(asTensors(inputs), attributes);
      },
    });
  }
  if (gradient !== undefined) {
    registerGradient({
      kernelName: name,
      inputsToSave: [...gradient.saveInputs],
      outputsToSave: Array.from(
        { length: 1 + Math.max(-1, ...(gradient.saveOutputs ?? [])) },
        (_, index) => gradient.saveOutputs?.includes(index) ?? false,
      ),
      gradFunc: (dy, saved, attrs) =>
        gradient.backward(Array.isArray(dy) ? dy : [dy], saved, attrs as Attributes) as Record<string, () => Tensor>,
    });
  }
  const runKept = gradient?.activations === undefined ? undefined : defineKept(name, gradient);
  return (inputs, attributes) => {
    const present: NamedTensorMap = {};
    for (const [key, tensor] of Object.entries(inputs)) if (tensor !== undefined) present[key] = tensor;
    const keeper = runKept === undefined ? undefined : activeKeeper();
    return keeper === undefined ? runKernel(name, present, attributes) : runKept!(present, attributes, keeper);
  };
}

function runKernel(name: string, inputs: NamedTensorMap, attributes: object): Tensor[] {
  const outputs: Tensor | Tensor[] = engine().runKernel(name, inputs, attributes as NamedAttrMap);
  return Array.isArray(outputs) ? outputs : [outputs];
}

/** One call of an op whose activations are kept otherwise than they are. */
interface KeptCall {
  readonly attributes: object;
  readonly keeper: ActivationKeeper;
  restores: KeptActivation['restore'][];
}

/**
 * The op once more, with what is kept of its activations as further outputs: tfjs' tape saves inputs and outputs, and so
 * it saves these.
 */
function defineKept<Inputs extends OpInputs, Attributes extends object>(
  name: string,
  { saveInputs, saveOutputs = [], activations = {}, recomputedFrom, backward }: OpGradient<Inputs, Attributes>,
): (inputs: NamedTensorMap, attributes: Attributes, keeper: ActivationKeeper) => Tensor[] {
  const keptName = `${name}Kept`;
  const keptInputs = saveInputs.filter((input) => activations.inputs?.includes(input));
  const keptOutputs = saveOutputs.filter((index) => activations.outputs?.includes(index));
  const plainInputs = saveInputs.filter((input) => !keptInputs.includes(input));
  const plainOutputs = saveOutputs.filter((index) => !keptOutputs.includes(index));
  for (const backendName of BACKENDS) {
    registerKernel({
      kernelName: keptName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => {
        const call = attrs as unknown as KeptCall;
        return engine().tidy(() => {
          const outputs = runKernel(name, inputs as NamedTensorMap, call.attributes);
          const kept = [
            ...keptInputs.map((input) => call.keeper.keep((inputs as NamedTensorMap)[input]!)),
            ...keptOutputs.map((index) => call.keeper.keep(outputs[index]!)),
          ];
          call.restores = kept.map(({ restore }) => restore);
          return [...kept.map((one) => one.kept), ...outputs];
        });
      },
    });
  }
  const keptCount = keptInputs.length + keptOutputs.length;
  const isKept = [
    ...saveInputs.map((input) => keptInputs.includes(input)),
    ...saveOutputs.map((index) => keptOutputs.includes(index)),
  ];
  registerGradient({
    kernelName: keptName,
    inputsToSave: plainInputs,
    outputsToSave: Array.from(
      { length: keptCount + 1 + Math.max(-1, ...plainOutputs) },
      (_, index) => index < keptCount || plainOutputs.includes(index - keptCount),
    ),
    gradFunc: (dy, saved, attrs) => {
      const { attributes, keeper, restores } = attrs as unknown as KeptCall;
      const slopes = dy as Tensor[];
      // What tfjs made for outputs that nobody took.
      for (const zeros of slopes.slice(0, keptCount)) zeros.dispose();
      // The tape holds the plain inputs, what is kept, and the plain outputs, each in the order of what is saved.
      const plain = [...saved];
      const restored = keeper.restore(plain.splice(plainInputs.length, keptCount), restores);
      const whole = isKept.map((kept) => (kept ? restored.shift()! : plain.shift()!));
      return backward(slopes.slice(keptCount), whole, attributes as Attributes) as Record<string, () => Tensor>;
    },
  });
  return (inputs, attributes, keeper) => {
    const call: KeptCall = { attributes, keeper, restores: [] };
    const outputs = runKernel(keptName, inputs, call).slice(keptCount);
    if (recomputedFrom !== undefined) {
      const source = inputs[recomputedFrom]!;
      keeper.recompute(
        outputs[0]!,
        source,
        (again) => runKernel(name, { ...inputs, [recomputedFrom]: again }, attributes)[0]!,
      );
    }
    return outputs;
  };
}

/** Kernels are handed tensor infos; what tfjs' own ops take is a tensor on the same data. */
function asTensors(inputs: Record<string, unknown>): OpInputs {
  const tensors: OpInputs = {};
  for (const [key, value] of Object.entries(inputs)) {
    if (value !== undefined && value !== null) tensors[key] = value as Tensor;
  }
  return tensors;
}
