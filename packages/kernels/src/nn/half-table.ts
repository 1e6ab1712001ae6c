import { tensor2d, type Tensor } from '@tensorflow/tfjs-core';
import { KernelError } from '../errors';
import { Parameter } from './parameter';

/** A frozen table in float16, two values a word of an int32 tensor, as `embedding` reads it. */
export class HalfTable extends Parameter {
  private readonly dense: readonly [number, number];

  /**
   * @param halves float16 bits in row-major order; kept, not copied
   * @param shape [rows, columns]; columns even
   * @throws KernelError BAD_SHAPE
   */
  constructor(halves: Uint16Array, shape: readonly [rows: number, columns: number]) {
    const [rows, columns] = shape;
    if (columns % 2 !== 0 || halves.length !== rows * columns) {
      throw new KernelError(
        'BAD_SHAPE',
        `a float16 table of ${halves.length} values has shape [${rows}, ${columns}]: columns must be even and the count must fit`,
      );
    }
    // The same bytes: the hosts there are put the lower half first, as WebAssembly's memory and WGSL's words do.
    const { buffer, byteOffset, length } = halves.byteOffset % 4 === 0 ? halves : halves.slice();
    const words = new Int32Array(buffer, byteOffset, length / 2);
    super(tensor2d(words, [rows, columns / 2], 'int32'), rows * columns);
    this.dense = shape;
  }

  override get shape(): number[] {
    return [...this.dense];
  }

  override setRequiresGrad(requiresGrad: boolean): void {
    if (!requiresGrad) return;
    throw new KernelError('BAD_ARGUMENT', 'a float16 table is frozen; load it in float32 to train it');
  }

  override assign(_tensor: Tensor): void {
    throw new KernelError('BAD_ARGUMENT', 'a float16 table takes no other values; load it in float32 to change it');
  }
}
