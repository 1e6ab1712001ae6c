import { grads, mul, sum, tensor1d, tensor2d, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomState, randomWords } from '../../random/dropout-stream';
import {
  describeBackends,
  expectClose,
  forAll,
  normals,
  once,
  randomWeight,
  runPoisoned,
  type TestBackend,
} from '../../testing';
import { ACTIVATION_KINDS, type ActivationName } from '../../formats/activations';
import { loraMatmul4bitReference, type LoraResults } from './reference';
import { fusedLoraMatmul4bit, loraMatmul4bit, type LoraMatmul4bitOptions } from '.';

interface Case {
  readonly rows: number;
  readonly N: number;
  readonly K: number;
  readonly rank: number;
  readonly nested: boolean;
  readonly bias: boolean;
  readonly residual: boolean;
  readonly inputRate: number;
  readonly outputRate: number;
  readonly activation?: ActivationName;
}

const SCALING = 1.75;

const POSITION = { seed: 5, step: 7 };
/** Numbers of rows, none of them its place. */
const numbersOf = (rows: number): number[] => Array.from({ length: rows }, (_, row) => 5 * row - 3);

const sitesOf = ({ inputRate, outputRate }: Case) => ({
  inputDropout: { rate: inputRate, site: 3 },
  outputDropout: { rate: outputRate, site: 4 },
});

/** A case's numbers beside its weight, and everything that it comes to by the reference. */
const problemOf = once((given: Case, weight: Float64Array) => {
  const { rows, N, K, rank, bias, residual, activation } = given;
  const values = {
    x: normals(11, rows * K),
    weight,
    bias: normals(12, N),
    a: normals(13, rank * K, 0.2),
    b: normals(14, N * rank, 0.2),
    residual: normals(15, rows * N),
    dy: normals(16, rows * N),
  };
  const zeros = (size: number): Float32Array => new Float32Array(size);
  const expected: LoraResults = loraMatmul4bitReference(
    {
      rows,
      inputs: K,
      outputs: N,
      rank,
      scaling: SCALING,
      random: randomWords(POSITION, numbersOf(rows)),
      activation: activation === undefined ? 'linear' : ACTIVATION_KINDS[activation],
      ...sitesOf(given),
    },
    {
      ...values,
      bias: bias ? values.bias : zeros(N),
      residual: residual ? values.residual : zeros(rows * N),
      ...(residual ? {} : { dy: values.dy }),
    },
  );
  return { values, expected };
});

/** Everything a case comes to: by the reference, and by `run` on the backend. */
async function compare(
  backend: TestBackend,
  run: typeof fusedLoraMatmul4bit,
  given: Case,
  relative: number,
): Promise<void> {
  const { rows, N, K, rank, nested, bias, residual, inputRate, outputRate, activation } = given;
  const { weight, dense, dispose } = randomWeight({ N, K, blocksize: 64, quantType: 'nf4', nested });
  const { values, expected } = problemOf(given, dense);
  const random = randomState(POSITION, numbersOf(rows));
  const sites = sitesOf(given);
  const tensors = {
    x: tensor2d(values.x, [rows, K]),
    a: tensor2d(values.a, [rank, K]),
    b: tensor2d(values.b, [N, rank]),
    bias: tensor1d(values.bias),
    residual: tensor2d(values.residual, [rows, N]),
  };
  const dy = tensor2d(values.dy, [rows, N]);
  const names = ['x', 'a', 'b', ...(bias ? ['bias'] : []), ...(residual ? ['residual'] : [])] as const;
  const forward = (inputs: readonly Tensor[]): Tensor2D => {
    const of = Object.fromEntries(names.map((name, i) => [name, inputs[i]!]));
    const options: LoraMatmul4bitOptions = {
      lora: {
        a: of['a'] as Tensor2D,
        b: of['b'] as Tensor2D,
        scaling: SCALING,
        ...(inputRate > 0 ? { dropout: { ...sites.inputDropout, random } } : {}),
      },
      ...(activation === undefined ? {} : { activation }),
      ...(bias ? { bias: of['bias'] as Tensor1D } : {}),
      ...(residual
        ? {
            residual: {
              tensor: of['residual'] as Tensor2D,
              ...(outputRate > 0 ? { dropout: { ...sites.outputDropout, random } } : {}),
            },
          }
        : {}),
    };
    return run(of['x'] as Tensor2D, weight, options);
  };
  const inputs = names.map((name) => tensors[name as keyof typeof tensors]);
  const results = await runPoisoned(backend, () => [
    forward(inputs),
    ...grads((...arguments_: Tensor[]) => sum(mul(forward(arguments_), dy)))(inputs),
  ]);
  const order = { x: 'dx', a: 'da', b: 'db', bias: 'dbias', residual: 'dresidual' } as const;
  const outputs = ['y', ...names.map((name) => order[name as keyof typeof order])] as (keyof LoraResults)[];
  for (const [index, name] of outputs.entries()) {
    await expectClose(`loraMatmul4bit ${name}`, backend, results[index]!, expected[name], { relative });
  }
  for (const held of [...Object.values(tensors), dy, random]) held.dispose();
  dispose();
}

const flag = fc.boolean();
const cases = fc
  .record({
    rows: fc.constantFrom(1, 3, 16, 17, 40, 513),
    N: fc.constantFrom(32, 64, 96, 128),
    K: fc.constantFrom(32, 64, 160, 256),
    rank: fc.constantFrom(8, 16, 24, 32),
    nested: flag,
    bias: flag,
    residual: flag,
    inputRate: fc.constantFrom(0, 0.3),
    outputRate: fc.constantFrom(0, 0.2),
    activation: fc.constantFrom<ActivationName | undefined>(undefined, undefined, 'gelu_new', 'silu'),
  })
  .map((given) => ({ ...given, outputRate: given.residual ? given.outputRate : 0 }));

describeBackends(
  'loraMatmul4bit',
  (backend) => {
    // Subgroup matrices have float16 factors.
    const relative = (): number => (backend.matrices ? 2e-3 : 2e-5);

    it('is the product with all that is added and its gradients, fused', async () => {
      await forAll(cases, (given) => compare(backend, fusedLoraMatmul4bit, given, relative()));
    });

    it('fits whole tiles and a shared depth too', async () => {
      const common = { nested: true, bias: true, residual: true, inputRate: 0.1, outputRate: 0.1, rank: 16 };
      await compare(backend, fusedLoraMatmul4bit, { ...common, rows: 130, N: 128, K: 128 }, relative());
      await compare(backend, fusedLoraMatmul4bit, { ...common, rows: 33, N: 128, K: 1024 }, relative());
      await compare(
        backend,
        fusedLoraMatmul4bit,
        { ...common, rows: 33, N: 128, K: 1024, activation: 'gelu_new' },
        relative(),
      );
    });

    it('takes so many rows that W is dequantised first where there are subgroup matrices', async () => {
      // Without a GPU all row counts take one way.
      const rows = backend.name === 'webgpu' ? 1100 : 110;
      const common = { rows, nested: true, bias: true, residual: true, inputRate: 0.1, outputRate: 0.1, rank: 16 };
      await compare(backend, fusedLoraMatmul4bit, { ...common, N: 128, K: 192 }, relative());
      await compare(
        backend,
        fusedLoraMatmul4bit,
        { ...common, N: 64, K: 256, nested: false, activation: 'gelu_new' },
        relative(),
      );
    });

    it('sums a long batch in parts', async () => {
      const common = { nested: false, bias: true, residual: true, inputRate: 0.3, outputRate: 0.2, rank: 24 };
      await compare(backend, fusedLoraMatmul4bit, { ...common, rows: 4099, N: 32, K: 32 }, relative());
    });

    it('takes shapes that the fused kernels do not, composed', async () => {
      const common = { nested: false, bias: true, residual: true, inputRate: 0.3, outputRate: 0.2 };
      await compare(backend, loraMatmul4bit, { ...common, rows: 5, N: 32, K: 64, rank: 3 }, relative());
      await compare(
        backend,
        loraMatmul4bit,
        { ...common, rows: 5, N: 40, K: 24, rank: 8, activation: 'gelu' },
        relative(),
      );
    });

    it('refuses dropouts with two random states', () => {
      const { weight, dispose } = randomWeight({ N: 32, K: 32, blocksize: 64, quantType: 'nf4', nested: false });
      const [x, a, b] = [
        tensor2d(normals(1, 32), [1, 32]),
        tensor2d(normals(1, 256), [8, 32]),
        tensor2d(normals(1, 256), [32, 8]),
      ];
      const dropout = (seed: number) => ({
        rate: 0.1,
        site: seed,
        random: randomState({ seed, step: 0 }, 1),
      });
      const options = { lora: { a, b, scaling: 1, dropout: dropout(1) }, residual: { tensor: x, dropout: dropout(2) } };
      expect(() => fusedLoraMatmul4bit(x, weight, options)).toThrow(/different random states/);
      for (const held of [x, a, b]) held.dispose();
      dispose();
    });
  },
  { matrices: true },
);
