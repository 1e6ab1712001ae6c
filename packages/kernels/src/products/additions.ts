import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ActivationKind } from '../formats/activations';
import { activationFunction } from '../webgpu/activation';
import { dropoutNumbers } from '../random/dropout-stream';
import { f32, u32 } from '../webgpu/uniforms';

/** What is done to a product [rows, columns] in the pass that writes it, in this order. */
export interface ProductAdditions {
  /** [columns] */
  readonly bias?: TensorInfo | undefined;
  /** Adds scale · inner · factorᵀ, or inner · factor where the product is transposed. */
  readonly lora?: {
    /** [parts, rows, rank], to be summed over the parts */
    readonly inner: TensorInfo;
    /** [columns, rank], or [rank, columns] */
    readonly factor: TensorInfo;
    readonly scale: number;
    /** Dropout of the term: bits of `keepBits` and 1 / (1 - rate). */
    readonly kept?: { readonly bits: TensorInfo; readonly scale: number } | undefined;
  };
  /** Multiplies by the derivative of an activation at `at` [rows, columns]. */
  readonly slope?: { readonly at: TensorInfo; readonly kind: ActivationKind } | undefined;
  readonly dropout?: { readonly random: TensorInfo; readonly rate: number; readonly site: number } | undefined;
  /** [rows, columns] */
  readonly residual?: TensorInfo | undefined;
}

/** What of it a shader bakes in. */
export type AdditionConstants = Readonly<{
  /** Columns of the inner product, 0 without LoRA; a multiple of 8. */
  rank: number;
  /** Parts that the inner product is in. */
  innerParts: number;
  masked: boolean;
  /** 'linear' without a slope. */
  slope: ActivationKind;
  residual: boolean;
  dropout: boolean;
}>;

export const NO_ADDITIONS: AdditionConstants = {
  rank: 0,
  innerParts: 1,
  masked: false,
  slope: 'linear',
  residual: false,
  dropout: false,
};

export function additionConstants({ lora, slope, residual, dropout }: ProductAdditions): AdditionConstants {
  return {
    rank: lora?.inner.shape[2] ?? 0,
    innerParts: lora?.inner.shape[0] ?? 1,
    masked: lora?.kept !== undefined,
    slope: slope?.kind ?? 'linear',
    residual: residual !== undefined,
    dropout: dropout !== undefined,
  };
}

/** WGSL: fields of `uniforms` that the additions need, and their words. */
export const ADDITION_FIELDS = 'factorScale: f32, keepScale: f32, threshold: u32, site: u32, dropoutScale: f32,';

export function additionWords({ lora, dropout }: ProductAdditions): number[] {
  const { threshold, keepScale } = dropoutNumbers(dropout?.rate ?? 0);
  return [f32(lora?.scale ?? 1), f32(lora?.kept?.scale ?? 1), u32(threshold), u32(dropout?.site ?? 0), f32(keepScale)];
}

/** The additions' tensors but the bias, in the order that `additionDeclarations` binds them. */
export function additionBindings({ lora, slope, residual, dropout }: ProductAdditions): TensorInfo[] {
  return [lora?.inner, lora?.factor, lora?.kept?.bits, slope?.at, residual, dropout?.random].filter(
    (tensor) => tensor !== undefined,
  );
}

/**
 * WGSL of those tensors and of `keepsOf(i)`: which of the product's values 4 i .. 4 i + 3 the keep bits leave, with
 * `keptOf(word, i)` where their word is at hand.
 *
 * @param next the next free binding
 */
export function additionDeclarations(
  { rank, masked, slope, residual, dropout }: AdditionConstants,
  next: () => number,
): string {
  const declare = (text: string): string => `@group(0) @binding(${next()}) var<storage, read> ${text};`;
  return [
    ...(rank > 0 ? [declare('inner: array<vec4f>'), declare('factor: array<vec4f>')] : []),
    ...(masked ? [declare('keepBits: array<u32>'), KEEPS_OF] : []),
    ...(slope === 'linear'
      ? []
      : [declare('activated: array<vec4f>'), activationFunction('activationSlope', slope, 'derivative')]),
    ...(residual ? [declare('residual: array<vec4f>')] : []),
    ...(dropout ? [declare('random: vec4i')] : []),
  ].join('\n');
}

/** WGSL: which of the values 4 at .. 4 at + 3 their word of keep bits leaves. */
export const KEPT_OF = /* wgsl */ `
fn keptOf(word: u32, at: u32) -> vec4<bool> {
  return ((vec4u(word >> ((at & 7u) * 4u)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u)) != vec4u(0u);
}`;

const KEEPS_OF = /* wgsl */ `${KEPT_OF}
fn keepsOf(at: u32) -> vec4<bool> { return keptOf(keepBits[at >> 3u], at); }`;
