import {
  add,
  clone,
  matMul,
  mul,
  square,
  tensor1d,
  tensor2d,
  variable,
  zeros,
  type Tensor,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { normals } from '../testing';
import { sumOfSquares } from '../ops/gradient-norm';
import { internalsOf } from '../tfjs/backend';
import { layTogether, together } from '../tfjs/together';
import { isPlanned, readBuffers, writtenBuffers, type PlannedBuffer } from './commands';
import { compileProgram } from './program';
import { record, type TensorSpecs } from './recording';
import { describeWebgpu } from '../testing/webgpu';
import { plan } from '.';

describeWebgpu('compiling a recording', (device) => {
  const program = (run: (inputs: Record<string, Tensor>) => Record<string, Tensor>, specs: TensorSpecs) =>
    compileProgram(record(device(), run, specs));
  const x = { x: { shape: [16], dtype: 'float32' } } as const;

  it('drops dispatches whose results nobody needs', () => {
    const { commands, dropped } = program(({ x }) => {
      mul(square(x!), 3);
      return { y: add(x!, 1) };
    }, x);
    expect(commands).toHaveLength(1);
    expect(dropped).toBe(2);
  });

  it('uploads constants once and holds equal ones once', () => {
    const { commands, constants } = program(
      ({ x }) => ({ y: mul(add(x!, tensor1d(normals(1, 16))), tensor1d(normals(1, 16))) }),
      x,
    );
    expect(commands.map(({ kind }) => kind)).toEqual(['dispatch', 'dispatch']);
    // The constant and the uniforms of two ops, which differ in their shader only.
    expect(constants.length).toBe(512);
  });

  it('gives buffers that one command uses places apart, and constants and inputs to no writer', () => {
    const { commands, places } = program(({ x }) => {
      const state = mul(x!, 2);
      return { y: add(square(add(state, x!)), state), z: zeros([16]) };
    }, x);
    const key = (buffer: PlannedBuffer): string => {
      const place = places.get(buffer)!;
      return 'index' in place ? `${place.kind} ${place.index}` : place.kind;
    };
    for (const command of commands) {
      const written = writtenBuffers(command).filter(isPlanned);
      for (const target of written) {
        expect(['slot', 'own']).toContain(places.get(target)!.kind);
        for (const other of readBuffers(command).filter(isPlanned))
          if (other !== target) expect(key(other)).not.toBe(key(target));
      }
    }
  });

  it('has what is taken together made where it lies, but not what one dispatch reads while it writes its neighbour', () => {
    const kinds = (run: (inputs: Record<string, Tensor>) => Tensor[]): string[] =>
      program((inputs) => {
        const laid = together(run(inputs));
        return { y: sumOfSquares(laid) };
      }, x).commands.map(({ kind }) => kind);
    expect(kinds(({ x }) => [mul(x!, 2), square(x!)])).toEqual(['dispatch', 'dispatch', 'dispatch']);
    // The second is made of the first, which would be its neighbour in the buffer.
    expect(
      kinds(({ x }) => {
        const doubled = mul(x!, 2);
        return [doubled, square(doubled)];
      }),
    ).toEqual(['dispatch', 'dispatch', 'copy', 'copy', 'dispatch']);
    // The second is the first, and a copy within the buffer would be left.
    expect(
      kinds(({ x }) => {
        const doubled = mul(x!, 2);
        return [doubled, clone(doubled)];
      }),
    ).toEqual(['dispatch', 'copy', 'copy', 'dispatch']);
    // An input stays what it is.
    expect(kinds(({ x }) => [clone(x!), square(x!)])).toEqual(['dispatch', 'copy', 'dispatch']);
  });

  it('refuses a function that takes a variable together with others, then together with others again', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => variable(zeros([4]), false, `overlapping ${name}`));
    const run = ({ x }: { x: Tensor }): Tensor => {
      layTogether([a!, b!]);
      layTogether([b!, c!]);
      return mul(x, 2);
    };
    expect(() => plan(device(), run, { x: x.x }, { name: 'overlap' })).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        message: expect.stringMatching(/overlap: .*overlapping a, overlapping b/) as string,
      }),
    );
    for (const held of [a!, b!, c!]) held.dispose();
  });

  it('runs a deep chain in as much memory as two of its links', () => {
    const chain = ({ x }: { x: Tensor }): Tensor => {
      let y = x;
      for (let i = 0; i < 20; i++) y = square(add(y, 0.01));
      return y;
    };
    const step = plan(device(), chain, { x: { shape: [256], dtype: 'float32' } });
    expect(step.dispatches).toBe(40);
    expect(step.memory).toMatchObject({ arenaBytes: 2048, liveBytes: 2048, unsharedBytes: 39 * 1024, slots: 2 });
    step.dispose();
  });

  it('says what would fit before it takes any memory', () => {
    const weights = tensor2d(normals(1, 64 * 64), [64, 64]);
    const run = ({ x }: { x: Tensor }): Tensor => square(square(matMul(x as Tensor2D, weights)));
    const held = device().memory().byOwner['plan arena']?.currentBytes ?? 0;
    const make = (): unknown =>
      plan(
        device(),
        run,
        { x: { shape: [32, 64], dtype: 'float32' } },
        { name: 'train', budgetBytes: 24_000, batch: 32 },
      );
    expect(make).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(/train takes .* budget .*checkpoint\(\).*Largest at the peak: /s) as string,
      }),
    );
    expect(device().memory().byOwner['plan arena']?.currentBytes ?? 0).toBe(held);
    expect(internalsOf(device().tfjsBackend).commandEncoder).toBeNull();
    weights.dispose();
  });
});
