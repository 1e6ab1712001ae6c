import { tensor, tidy, util, variable, zeros, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { bytesToInt32, int32ToBytes } from '@qlora-js/kernels';
import { OptimError } from '../errors';
import type { StateArray } from '../optimizers/optimizer';
import type { StateSpec } from '../rules/rule';

type HostArray = Float32Array | Int32Array;

/** What states take, on the device and on the host alike. */
export function stateBytes(specs: readonly StateSpec[]): number {
  return specs.reduce((sum, { shape }) => sum + 4 * util.sizeFromShape([...shape]), 0);
}

/** How a variable on the device holds states. */
type VariableSpec = Pick<StateSpec, 'dtype' | 'shape'>;

const sizeOf = ({ shape }: VariableSpec): number => util.sizeFromShape([...shape]);

/** The states of one parameter: on the device as variables, or paged out to typed arrays. */
export class StateBuffers {
  /** In either place. */
  readonly bytes: number;
  private readonly variableSpecs: readonly VariableSpec[];
  private readonly inOne: boolean;
  private device: readonly Variable[] | undefined;
  private host: readonly HostArray[] | undefined;

  /** Zeros, on the device or on the host. */
  constructor(
    readonly specs: readonly StateSpec[],
    { inOne, resident }: { readonly inOne: boolean; readonly resident: boolean },
  ) {
    this.bytes = stateBytes(specs);
    this.inOne = inOne;
    this.variableSpecs = inOne ? [{ dtype: 'int32', shape: [this.bytes / 4] }] : specs;
    if (resident) {
      this.device = this.variableSpecs.map(({ shape, dtype }) => asVariable(() => zeros([...shape], dtype)));
    } else {
      this.host = this.variableSpecs.map((spec) => util.makeZerosTypedArray(sizeOf(spec), spec.dtype));
    }
  }

  get resident(): boolean {
    return this.device !== undefined;
  }

  /** The states on the device; only while resident. */
  get variables(): readonly Variable[] {
    if (this.device === undefined)
      throw new OptimError('BAD_STATE', 'states that are paged out have no variables: page them in first');
    return this.device;
  }

  pageIn(): void {
    const values = this.host!;
    this.device = this.variableSpecs.map(({ shape, dtype }, i) =>
      asVariable(() => tensor(values[i]!, [...shape], dtype)),
    );
    this.host = undefined;
  }

  async pageOut(): Promise<void> {
    this.host = await this.values();
    this.disposeVariables();
  }

  /** Copies for a state dict. */
  async read(): Promise<Record<string, StateArray>> {
    const values = this.inOne ? takenApart((await this.values())[0]!, this.specs) : await this.values();
    const named: Record<string, StateArray> = {};
    this.specs.forEach(({ key, bytes }, i) => {
      const value = values[i]!;
      named[key] = (bytes === undefined ? value : int32ToBytes(value as Int32Array, bytes)).slice() as StateArray;
    });
    return named;
  }

  /** Takes the states of a dict that `checkStateDict` has seen, to the place asked for. */
  load(states: Readonly<Record<string, StateArray>>, resident: boolean): void {
    this.disposeVariables();
    const values = this.specs.map(({ key, bytes }): HostArray => {
      const value = states[key]!.slice();
      return bytes === undefined ? (value as Float32Array) : bytesToInt32(value as Uint8Array);
    });
    this.host = this.inOne ? [putTogether(values)] : values;
    if (resident) this.pageIn();
  }

  dispose(): void {
    this.disposeVariables();
    this.host = undefined;
  }

  private async values(): Promise<readonly HostArray[]> {
    if (this.device === undefined) return this.host!;
    // On the CPU backend `data` may be the tensor's own memory.
    return Promise.all(this.device.map(async (state) => (await state.data<'float32' | 'int32'>()).slice()));
  }

  private disposeVariables(): void {
    this.device?.forEach((state) => state.dispose());
    this.device = undefined;
  }
}

/** States that lie one after the other, each a view. */
function takenApart(words: HostArray, specs: readonly StateSpec[]): HostArray[] {
  let offset = words.byteOffset;
  return specs.map((spec) => {
    const View = spec.dtype === 'int32' ? Int32Array : Float32Array;
    const part = new View(words.buffer as ArrayBuffer, offset, sizeOf(spec));
    offset += part.byteLength;
    return part;
  });
}

function putTogether(parts: readonly HostArray[]): Int32Array {
  const words = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    words.set(new Int32Array(part.buffer as ArrayBuffer, part.byteOffset, part.length), offset);
    offset += part.length;
  }
  return words;
}

/** A variable that alone holds its data. */
function asVariable(make: () => Tensor): Variable {
  return tidy(() => variable(make(), false));
}
