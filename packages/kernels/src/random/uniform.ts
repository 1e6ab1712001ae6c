import { philox4x32 } from './philox';

export interface RandomStream {
  readonly seed: number;
  /** Which of a seed's independent streams, e.g. the index of a parameter. */
  readonly stream: number;
}

/** Counter word that keeps initial values apart from dropout masks under one seed. */
const INITIALISATION = 0x696e6974;

/** `count` uniform numbers in [0, 1), 24 bits each; the same for the same seed and stream on every machine. */
export function uniformValues(count: number, { seed, stream }: RandomStream): Float32Array {
  const values = new Float32Array(count);
  const words = new Uint32Array(4);
  const key: [number, number] = [(seed % 2 ** 32) | 0, Math.floor(seed / 2 ** 32)];
  for (let i = 0; i < count; i += 4) {
    philox4x32([i / 4, stream, 0, INITIALISATION], key, words);
    for (let lane = 0; lane < 4 && i + lane < count; lane++) values[i + lane] = (words[lane]! >>> 8) / 2 ** 24;
  }
  return values;
}

/** `count` numbers of the standard normal distribution by Box and Muller. */
export function normalValues(count: number, stream: RandomStream): Float32Array {
  const uniform = uniformValues(count + (count % 2), stream);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform[i]!));
    const angle = 2 * Math.PI * uniform[i + 1]!;
    values[i] = radius * Math.cos(angle);
    if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}
