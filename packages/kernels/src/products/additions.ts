import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ActivationKind } from '../formats/activations';
import { activationFunction } from '../webgpu/activation';
import { dropoutNumbers } from '../random/dropout-stream';
import { RANDOM_BUFFER } from '../webgpu/philox';
import type { BufferTensors, UniformValues } from '../webgpu/layout';

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
  /** Of the product's rows. */
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

/** Uniforms that the additions need. */
export const ADDITION_UNIFORMS = {
  factorScale: 'f32',
  keepScale: 'f32',
  threshold: 'u32',
  site: 'u32',
  dropoutScale: 'f32',
} as const;

/** The values of ADDITION_UNIFORMS. */
export function additionUniforms({ lora, dropout }: ProductAdditions): UniformValues<typeof ADDITION_UNIFORMS> {
  const { threshold, keepScale } = dropoutNumbers(dropout?.rate ?? 0);
  return {
    factorScale: lora?.scale ?? 1,
    keepScale: lora?.kept?.scale ?? 1,
    threshold,
    site: dropout?.site ?? 0,
    dropoutScale: keepScale,
  };
}

/** Buffers of the additions but the bias. */
export function additionBuffers({ rank, masked, slope, residual, dropout }: AdditionConstants) {
  const vectors = (there: boolean) => (there ? ('read array<vec4f>' as const) : undefined);
  return {
    inner: vectors(rank > 0),
    factor: vectors(rank > 0),
    keepBits: masked ? ('read array<u32>' as const) : undefined,
    activated: vectors(slope !== 'linear'),
    residual: vectors(residual),
    random: dropout ? RANDOM_BUFFER : undefined,
  };
}

/** The tensors of those buffers. */
export function additionTensors({
  lora,
  slope,
  residual,
  dropout,
}: ProductAdditions): BufferTensors<ReturnType<typeof additionBuffers>> {
  return {
    inner: lora?.inner,
    factor: lora?.factor,
    keepBits: lora?.kept?.bits,
    activated: slope?.at,
    residual,
    random: dropout?.random,
  };
}

/**
 * WGSL of `keepsOf(i)`: which of the product's values 4 i .. 4 i + 3 the keep bits leave, with `keptOf(word, i)` where
 * their word is at hand; and of `activationSlope`.
 */
export function additionFunctions({ masked, slope }: AdditionConstants): string {
  return [
    ...(masked ? [KEEPS_OF] : []),
    ...(slope === 'linear' ? [] : [activationFunction('activationSlope', slope, 'derivative')]),
  ].join('\n');
}

/** WGSL: which of the values 4 at .. 4 at + 3 their word of keep bits leaves. */
export const KEPT_OF = /* wgsl */ `
fn keptOf(word: u32, at: u32) -> vec4<bool> {
  return ((vec4u(word >> ((at & 7u) * 4u)) >> vec4u(0u, 1u, 2u, 3u)) & vec4u(1u)) != vec4u(0u);
}`;

const KEEPS_OF = /* wgsl */ `${KEPT_OF}
fn keepsOf(at: u32) -> vec4<bool> { return keptOf(keepBits[at >> 3u], at); }`;
