import { Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import { dataOf, placeOf, type BackendInternals } from '../tfjs/backend';
import type { PlacedTensor, Program } from './program';

/** Values for an input: a number for one element, numbers in row-major order, or a tensor of its shape and dtype. */
export type InputValue = number | ArrayLike<number> | Tensor;

/** Brings the inputs of a run to their buffers: one write for all that the host has. */
export class InputStaging {
  private readonly bytes: ArrayBuffer;

  constructor(
    private readonly step: string,
    private readonly backend: BackendInternals,
    private readonly program: Program,
  ) {
    this.bytes = new ArrayBuffer(program.inputBytes);
  }

  upload(
    values: Readonly<Record<string, InputValue>>,
    encoder: GPUCommandEncoder,
    resolve: (place: PlacedTensor['place']) => { buffer: GPUBuffer; offset: number },
  ): void {
    const { queue } = this.backend;
    const { inputs } = this.program;
    this.checkNames(values);
    let packed: GPUBuffer | undefined;
    const copies: (() => void)[] = [];
    for (const input of inputs) {
      const { place } = input;
      const { buffer, offset } = resolve(place);
      const value = values[input.name]!;
      const count = input.shape.reduce((product, size) => product * size, 1);
      const numbers =
        value instanceof Tensor ? this.hostValues(input, value) : typeof value === 'number' ? [value] : value;
      if (numbers === undefined) {
        const source = placeOf(this.backend, (value as Tensor).dataId);
        copies.push(() => encoder.copyBufferToBuffer(source.buffer, source.offset, buffer, offset, count * 4));
        continue;
      }
      if (numbers.length !== count) {
        throw new KernelError(
          'BAD_SHAPE',
          `${this.step}: input ${input.name} has ${numbers.length} values, but shape [${input.shape.join(', ')}] takes ${count}`,
        );
      }
      const View = input.dtype === 'float32' ? Float32Array : Int32Array;
      if (place.kind === 'input') {
        new View(this.bytes, offset, count).set(numbers);
        packed = buffer;
      } else {
        queue.writeBuffer(buffer, 0, View.from(numbers));
      }
    }
    if (packed !== undefined) queue.writeBuffer(packed, 0, this.bytes);
    // After the write, which holds what earlier runs left in these inputs' places.
    for (const copy of copies) copy();
  }

  private checkNames(values: object): void {
    const wanted = this.program.inputs.map(({ name }) => name);
    const missing = wanted.find((name) => !Object.hasOwn(values, name));
    const unknown = Object.keys(values).find((name) => !wanted.includes(name));
    if (missing === undefined && unknown === undefined) return;
    const what = missing === undefined ? `there is no input ${unknown}` : `the input ${missing} is missing`;
    throw new KernelError('BAD_ARGUMENT', `${this.step}: ${what}; the inputs are ${wanted.join(', ')}`);
  }

  /** A tensor's values where the host still has them, undefined where they are on the GPU. */
  private hostValues(input: PlacedTensor, tensor: Tensor): ArrayLike<number> | undefined {
    if (tensor.dtype !== input.dtype) {
      throw new KernelError(
        'BAD_DTYPE',
        `${this.step}: input ${input.name} has dtype ${tensor.dtype}, recorded as ${input.dtype}`,
      );
    }
    if (tensor.shape.length !== input.shape.length || tensor.shape.some((size, i) => size !== input.shape[i])) {
      throw new KernelError(
        'BAD_SHAPE',
        `${this.step}: input ${input.name} has shape [${tensor.shape.join(', ')}], recorded as [${input.shape.join(', ')}]; a PlanCache records one step a shape`,
      );
    }
    const data = dataOf(this.backend, tensor.dataId);
    return data?.resource == null ? (data?.values ?? undefined) : undefined;
  }
}
