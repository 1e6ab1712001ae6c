import { float16Value } from '../dtype/float16';

/*
 * The blocks of llama.cpp's types, to the bit as gguf/quants.py of PyPI's gguf has them. It computes in float32; a product
 * of these few bits is exact, and one more operation in float64, then rounded to float32, gives the same as one in
 * float32 (53 >= 2 * 24 + 2 bits). `blocks` are whole, `values` as many as they hold.
 */

/** The float16 at a place, as a number. */
const half = (blocks: Uint8Array, at: number): number => float16Value(blocks[at]! | (blocks[at + 1]! << 8));

const signed = (byte: number): number => (byte << 24) >> 24;

/** 32 elements in 34 bytes: scale, 32 int8. */
export function dequantizeQ8_0(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += 34) {
    const scale = half(blocks, at);
    for (let i = 2; i < 34; i++) values[to++] = scale * signed(blocks[at + i]!);
  }
}

/** 32 elements in 18 bytes: scale, 16 bytes whose low halves are the first 16 elements, less 8. */
export function dequantizeQ4_0(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += 18, to += 32) {
    const scale = half(blocks, at);
    for (let i = 0; i < 16; i++) {
      const byte = blocks[at + 2 + i]!;
      values[to + i] = scale * ((byte & 15) - 8);
      values[to + 16 + i] = scale * ((byte >> 4) - 8);
    }
  }
}

/** 32 elements in 20 bytes: scale, minimum, 16 bytes as in Q4_0. */
export function dequantizeQ4_1(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += 20, to += 32) {
    const scale = half(blocks, at);
    const minimum = half(blocks, at + 2);
    for (let i = 0; i < 16; i++) {
      const byte = blocks[at + 4 + i]!;
      values[to + i] = scale * (byte & 15) + minimum;
      values[to + 16 + i] = scale * (byte >> 4) + minimum;
    }
  }
}

/**
 * 256 elements in 144 bytes: scale of the scales, scale of the minima, 8 scales and 8 minima of 6 bits in 12 bytes, and
 * 128 bytes whose low halves are 32 elements and whose high halves the next 32, for each run of 32 bytes.
 */
export function dequantizeQ4K(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += 144, to += 256) {
    const scaleOfScales = half(blocks, at);
    const scaleOfMinima = half(blocks, at + 2);
    for (let part = 0; part < 8; part++) {
      const [scaleBits, minimumBits] = scaleAndMinimum(blocks, at + 4, part);
      const scale = scaleOfScales * scaleBits;
      const minimum = scaleOfMinima * minimumBits;
      const bytes = at + 16 + 32 * (part >> 1);
      const shift = part & 1 ? 4 : 0;
      for (let i = 0; i < 32; i++) values[to + 32 * part + i] = scale * ((blocks[bytes + i]! >> shift) & 15) - minimum;
    }
  }
}

/** The 6-bit scale and minimum of one of 8 parts (get_scale_min). */
function scaleAndMinimum(blocks: Uint8Array, at: number, part: number): readonly [number, number] {
  if (part < 4) return [blocks[at + part]! & 63, blocks[at + 4 + part]! & 63];
  const low = blocks[at + 4 + part]!;
  return [(low & 15) | ((blocks[at + part - 4]! >> 2) & 48), (low >> 4) | ((blocks[at + part]! >> 2) & 48)];
}

/** 256 elements in 210 bytes: low 4 bits in 128 bytes, high 2 bits in 64, 16 int8 scales, scale of the scales. */
export function dequantizeQ6K(blocks: Uint8Array, values: Float32Array): void {
  for (let at = 0, to = 0; at < blocks.length; at += 210, to += 256) {
    const scaleOfScales = half(blocks, at + 208);
    for (let i = 0; i < 256; i++) {
      const [side, part, place] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = (blocks[at + 64 * side + 32 * (part & 1) + place]! >> (part & 2 ? 4 : 0)) & 15;
      const high = (blocks[at + 128 + 32 * side + place]! >> (2 * part)) & 3;
      values[to + i] = scaleOfScales * signed(blocks[at + 192 + (i >> 4)]!) * ((low | (high << 4)) - 32);
    }
  }
}
