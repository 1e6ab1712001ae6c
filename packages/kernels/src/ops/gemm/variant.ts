/** Values of the product that one thread of the tiled shader computes, 16 x 16 threads a workgroup. */
export interface TiledVariant {
  readonly kind: 'tiled';
  readonly rowsPerThread: number;
  readonly columnsPerThread: number;
}

/** How a matrix product runs on webgpu. */
export type ProductVariant = TiledVariant;

export interface ProductCase {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Whether the right factor is dequantised on the way. */
  readonly fourBit: boolean;
}

/**
 * The one place where a product's shader is chosen, by what the device can do and the shape. Plain WGSL needs no
 * feature: its tiles are 16 or 64 wide, so that few rows (a small batch) or columns (LoRA's rank) waste little.
 */
export function chooseProductVariant(_features: GPUSupportedFeatures, { rows, columns }: ProductCase): ProductVariant {
  return { kind: 'tiled', rowsPerThread: perThread(rows), columnsPerThread: perThread(columns) };
}

function perThread(extent: number): number {
  return extent <= 16 ? 1 : 4;
}
