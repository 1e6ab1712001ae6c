import { DropoutStream, dropoutNumbers } from '../../random/dropout-stream';
import { activationBackwardReference, activationReference } from '../activation/reference';
import type { ActivationKind } from '../../formats/activations';
import type { Site } from './types';

export interface LoraCase {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly rank: number;
  readonly scaling: number;
  readonly inputDropout: Site;
  readonly outputDropout: Site;
  /** Of x; 'linear' where there is none. */
  readonly activation: ActivationKind;
  /** The state that both dropouts draw from. */
  readonly random: ArrayLike<number>;
}

export interface LoraValues {
  /** [rows, inputs] */
  readonly x: ArrayLike<number>;
  /** [outputs, inputs] */
  readonly weight: ArrayLike<number>;
  /** [outputs] */
  readonly bias: ArrayLike<number>;
  /** [rank, inputs] */
  readonly a: ArrayLike<number>;
  /** [outputs, rank] */
  readonly b: ArrayLike<number>;
  /** [rows, outputs] */
  readonly residual: ArrayLike<number>;
  /** [rows, outputs] */
  readonly dy: ArrayLike<number>;
}

export type LoraResults = Record<'y' | 'dx' | 'da' | 'db' | 'dbias' | 'dresidual', Float64Array>;

/** A linear layer with LoRA and its gradients in float64, a sum at a time. */
export function loraMatmul4bitReference(given: LoraCase, values: LoraValues): LoraResults {
  const { rows, inputs, outputs, rank, scaling, random } = given;
  const { weight, bias, a, b, residual, dy } = values;
  const dropped = (from: ArrayLike<number>, { rate, site }: Site): Float64Array => {
    const columns = from.length / rows;
    const { threshold, keepScale } = dropoutNumbers(rate);
    const stream = new DropoutStream(random, site, threshold);
    return Float64Array.from(from, (value, i) =>
      rate === 0 ? value : stream.keeps(Math.floor(i / columns), i % columns) ? value * keepScale : 0,
    );
  };
  const product = (
    [m, n, k]: readonly [number, number, number],
    left: (row: number, i: number) => number,
    right: (column: number, i: number) => number,
  ): Float64Array => {
    const result = new Float64Array(m * n);
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let i = 0; i < k; i++) sum += left(row, i) * right(column, i);
        result[row * n + column] = sum;
      }
    }
    return result;
  };
  const xs = activationReference(given.activation, values.x);
  const loraX = dropped(xs, given.inputDropout);
  const inner = product(
    [rows, rank, inputs],
    (row, i) => loraX[row * inputs + i]!,
    (r, i) => a[r * inputs + i]!,
  );
  const base = product(
    [rows, outputs, inputs],
    (row, i) => xs[row * inputs + i]!,
    (column, i) => weight[column * inputs + i]!,
  );
  const update = product(
    [rows, outputs, rank],
    (row, r) => inner[row * rank + r]!,
    (column, r) => b[column * rank + r]!,
  );
  const sums = base.map((value, i) => value + bias[i % outputs]! + scaling * update[i]!);
  const y = dropped(sums, given.outputDropout).map((value, i) => value + residual[i]!);

  const slope = dropped(dy, given.outputDropout);
  const dInner = product(
    [rows, rank, outputs],
    (row, i) => slope[row * outputs + i]!,
    (r, i) => scaling * b[i * rank + r]!,
  );
  const dBase = product(
    [rows, inputs, outputs],
    (row, i) => slope[row * outputs + i]!,
    (column, i) => weight[i * inputs + column]!,
  );
  const dDropped = product(
    [rows, inputs, rank],
    (row, r) => dInner[row * rank + r]!,
    (column, r) => a[r * inputs + column]!,
  );
  const dLora = dropped(dDropped, given.inputDropout);
  const dTaken = dBase.map((value, i) => value + dLora[i]!);
  return {
    y,
    dx: activationBackwardReference(given.activation, dTaken, values.x),
    da: product(
      [rank, inputs, rows],
      (r, row) => dInner[row * rank + r]!,
      (column, row) => loraX[row * inputs + column]!,
    ),
    db: product(
      [outputs, rank, rows],
      (column, row) => scaling * slope[row * outputs + column]!,
      (r, row) => inner[row * rank + r]!,
    ),
    dbias: product(
      [1, outputs, rows],
      () => 1,
      (column, row) => slope[row * outputs + column]!,
    ),
    dresidual: Float64Array.from(dy),
  };
}
