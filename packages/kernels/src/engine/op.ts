import { engine, registerKernel, type NamedAttrMap, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { wasmContext, type WasmContext } from '../wasm/context';
import { differentiable, type Forward, type OpGradient } from './gradient';
import { listed, present, unlisted, type InfoOf, type Listed, type NamedTensors } from './tensors';

export type { OpGradient } from './gradient';

/** What an op is made of; one folder under ops/ each. */
export interface OpDefinition<Inputs extends NamedTensors, Attributes extends object, Outputs extends object = Tensor> {
  /** Name in tfjs' kernel registry. */
  readonly name: string;
  /** The meaning, out of tfjs ops, on any backend: the one output, or all of them by name. */
  readonly compose: (inputs: Inputs, attributes: Attributes) => Outputs;
  /** The same on the memory of tfjs-backend-wasm. */
  readonly wasm?: (inputs: InfoOf<Inputs>, attributes: Attributes, context: WasmContext) => InfoOf<Outputs>;
  /** The same in WGSL. */
  readonly webgpu?: (inputs: InfoOf<Inputs>, attributes: Attributes, backend: WebGPUBackend) => InfoOf<Outputs>;
  readonly gradient?: OpGradient<Inputs, Attributes, Outputs>;
}

/** An op's kernel on wasm. */
export type WasmKernel<
  Inputs extends NamedTensors,
  Attributes extends object,
  Outputs extends object = Tensor,
> = NonNullable<OpDefinition<Inputs, Attributes, Outputs>['wasm']>;

/** An op's kernel on webgpu. */
export type WebgpuKernel<
  Inputs extends NamedTensors,
  Attributes extends object,
  Outputs extends object = Tensor,
> = NonNullable<OpDefinition<Inputs, Attributes, Outputs>['webgpu']>;

/** Backends that get an op's `compose` unless it brings a kernel of its own. */
const BACKENDS = ['cpu', 'wasm', 'tensorflow', 'webgpu'] as const;

/** An op ready to be called. */
export type Op<Inputs extends NamedTensors, Attributes extends object, Outputs extends object = Tensor> = Forward<
  Inputs,
  Attributes,
  Outputs
>;

/** What a call hands through tfjs as its attributes: them, and a place for the names of what came out. */
interface Call {
  readonly attributes: object;
  names?: Listed<Tensor>['names'];
}

/** Registers an op's kernels with tfjs and returns the function that runs it, with its gradient. */
export function defineOp<Inputs extends NamedTensors, Attributes extends object, Outputs extends object = Tensor>(
  definition: OpDefinition<Inputs, Attributes, Outputs>,
): Op<Inputs, Attributes, Outputs> {
  const { name, compose, wasm, webgpu, gradient } = definition;
  for (const backendName of BACKENDS) {
    registerKernel({
      kernelName: name,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const call = attrs as unknown as Call;
        const attributes = call.attributes as Attributes;
        const run = (): object => {
          if (backendName === 'wasm' && wasm !== undefined) {
            return wasm(inputs as InfoOf<Inputs>, attributes, wasmContext(backend as BackendWasm));
          }
          if (backendName === 'webgpu' && webgpu !== undefined) {
            return webgpu(inputs as InfoOf<Inputs>, attributes, backend as WebGPUBackend);
          }
          // Kernels are handed tensor infos; what tfjs' own ops take is a tensor on the same data.
          return engine().tidy(() => compose(present(inputs) as unknown as Inputs, attributes) as Tensor);
        };
        const { list, names } = listed<TensorInfo>(run());
        call.names = names;
        return list;
      },
    });
  }
  const run: Op<Inputs, Attributes, Outputs> = (inputs, attributes) => {
    const call: Call = { attributes };
    const list: Tensor | Tensor[] = engine().runKernel(name, present(inputs), call as unknown as NamedAttrMap);
    return unlisted<Outputs>({ list: Array.isArray(list) ? list : [list], names: call.names });
  };
  return gradient === undefined ? run : differentiable(run, gradient);
}
