import { workgroupBytes, type MatrixTile } from './matrix-tiles';
import { hasSubgroupMatrices } from '../webgpu/capabilities';
import { WIDE_TILE_DEPTH, type WideTile } from './wide-tiles';

// The one place where a product's shader is chosen, by what the device can do and the shape.

/** Values of the product that one thread of the tiled shader computes, 16 x 16 threads a workgroup. */
export type TiledVariant = Readonly<Record<'rowsPerThread' | 'columnsPerThread', number>>;

/** Plain WGSL needs no feature: its tiles are 16 or 64 wide, so that few rows or columns (LoRA's rank) waste little. */
export function chooseTiledVariant({ rows, columns }: Readonly<Record<'rows' | 'columns', number>>): TiledVariant {
  return { rowsPerThread: perThread(rows), columnsPerThread: perThread(columns) };
}

function perThread(extent: number): number {
  return extent <= 16 ? 1 : 4;
}

/** A product with a 4-bit weight that may run on subgroup matrices. */
export interface MatrixProductCase {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposed: boolean;
  /** Columns of LoRA's inner product, which takes the place of a step of the depth. Default 0. */
  readonly rank?: number;
  /** Whether x comes in float16. Default false. */
  readonly halves?: boolean;
}

/** How it runs on them. */
export interface MatrixVariant {
  readonly tile: MatrixTile;
  /** Workgroups that share the depth of a tile. */
  readonly splits: number;
  /** Whether W is dequantised once before, instead of by every row of tiles. */
  readonly halfWeight: boolean;
}

const LARGE: MatrixTile = {
  tileRows: 128,
  tileColumns: 128,
  tileDepth: 64,
  subgroupRows: 2,
  subgroupColumns: 4,
};
/** For x in float32: fewer workgroups read a row of x and make float16 of it. */
const WIDE: MatrixTile = { ...LARGE, tileColumns: 256, tileDepth: 32 };
/**
 * For many tiles of x in float16: a subgroup multiplies 64 x 64, so that a fragment it loads serves four others. On an H200
 * the fastest of six tiles at each shape of GPT-2 medium with 8,192 rows (docs/performance.md); the step at 16 x 128 does not
 * tell the two apart.
 */
const SQUARE: MatrixTile = { ...LARGE, tileDepth: 32, subgroupColumns: 2 };
const MANY_TILES = 129;
const SMALL: MatrixTile = { ...LARGE, tileRows: 64, tileColumns: 64, subgroupColumns: 2 };

/**
 * Workgroups that keep a large GPU busy; WebGPU does not say how many processors there are. On an H200, over 22 shapes of
 * GPT-2 medium, 72 gave 0.98 of the rate of each shape's best tile and split, 96 gave 0.97 and 128 gave 0.90
 * (tools/bench/tune-matmul4bit.ts).
 */
const BUSY = 72;
/** A share of the depth below this costs more in partial sums than it gains. */
const SHORTEST_SHARE = 512;
/**
 * With fewer rows nearly all of a tile is empty. The 16 pooled rows of a classifier's last block made a step of GPT-2
 * medium 0.8 ms slower on the plain shader than on the smaller tile (H200, 16 x 24).
 */
const FEWEST_ROWS = 9;

/**
 * Rows from which W is dequantised first. A product by itself gains from it only where rows of tiles are many: on an H200, x
 * in float16, 8192 x 3072 x 1024 did 187 TFLOP/s with it, its pass included, and 2048 rows 139, and 148 without
 * (docs/performance.md). But in a step LoRA's first pass has it for nothing: at 384 rows two steps of GPT-2 medium took
 * 13.1 and 13.5 ms with it and 14.2 and 14.3 without.
 */
const HALF_WEIGHT_FROM = 64;

/**
 * Tile and split for a product with a 4-bit weight, or undefined where the shape does not fit whole tiles. The larger
 * tile where it gives enough workgroups, by sharing the depth if need be, else the smaller one.
 */
export function chooseMatrixVariant(
  device: GPUDevice,
  { rows, columns, depth, transposed, rank = 0, halves = false }: MatrixProductCase,
): MatrixVariant | undefined {
  if (!hasSubgroupMatrices(device) || rows < FEWEST_ROWS) return undefined;
  const fits = 2 * columns * depth <= device.limits.maxStorageBufferBindingSize;
  const halfWeight = rows >= HALF_WEIGHT_FROM && fits;
  let widest: MatrixVariant | undefined;
  let most = 0;
  for (const tile of !halfWeight ? [LARGE, SMALL] : [halves ? SQUARE : WIDE, LARGE, SMALL]) {
    const bytes = workgroupBytes({ ...tile, transposed });
    if (bytes > device.limits.maxComputeWorkgroupStorageSize || columns % tile.tileColumns !== 0) continue;
    if (rank > tile.tileDepth) continue;
    const tiles = Math.ceil(rows / tile.tileRows) * (columns / tile.tileColumns);
    if (tile === WIDE && tiles < 2 * BUSY) continue;
    if (tile === SQUARE && tiles < MANY_TILES) continue;
    for (const splits of [1, 2, 4]) {
      if (depth % (tile.tileDepth * splits) !== 0) continue;
      if (splits > 1 && depth / splits < SHORTEST_SHARE) continue;
      if (tiles * splits >= BUSY) return { tile, splits, halfWeight };
      if (tiles * splits > most) {
        most = tiles * splits;
        widest = { tile, splits, halfWeight };
      }
    }
  }
  return widest;
}

/** A tile and how many workgroups share the depth of one. */
export interface WideVariant {
  readonly tile: WideTile;
  readonly splits: number;
}

/** On an H200 within 5 % of the best of 20 tiles from 2,048 rows on: 39 TFLOP/s at 8192 x 4096 x 1024. */
const WIDE_LARGE: WideTile = { tileRows: 128, tileColumns: 64, rowsPerThread: 8, columnsPerThread: 8 };
/** For fewer rows: more workgroups. 23 and 31 TFLOP/s at 384 x 3072 x 1024 and 384 x 4096 x 1024, where 16 x 16 threads of 4 x 4 do 8. */
const WIDE_SMALL: WideTile = { tileRows: 64, tileColumns: 64, rowsPerThread: 4, columnsPerThread: 8 };

/** Workgroups of 128 threads that keep a large GPU busy: on an H200 rates grew up to about as many. */
const BUSY_WITH_WIDE = 512;
/** A share of the depth below this costs more in partial sums than it gains. */
const SHORTEST_WIDE_SHARE = 256;
/** With fewer rows most of a tile is empty. */
const FEWEST_WIDE_ROWS = 17;
/** Codes in a word. */
const WORD = 8;

/**
 * The wide tile for a product with a 4-bit weight in plain WGSL, or undefined where its extents are no whole vectors, words
 * and tiles of the depth. The large one where it gives enough workgroups, by sharing the depth if need be.
 *
 * @param weightRow values of a row of W, which 4-bit words run along
 */
export function chooseWideVariant(
  { rows, columns, depth }: { readonly rows: number; readonly columns: number; readonly depth: number },
  weightRow: number,
): WideVariant | undefined {
  if (rows < FEWEST_WIDE_ROWS || columns % 4 !== 0 || depth % WIDE_TILE_DEPTH !== 0 || weightRow % WORD !== 0)
    return undefined;
  let busiest: WideVariant | undefined;
  for (const tile of [WIDE_LARGE, WIDE_SMALL]) {
    const tiles = Math.ceil(rows / tile.tileRows) * Math.ceil(columns / tile.tileColumns);
    for (const splits of [1, 2, 4, 8]) {
      if (depth % (WIDE_TILE_DEPTH * splits) !== 0 || (splits > 1 && depth / splits < SHORTEST_WIDE_SHARE)) break;
      busiest = { tile, splits };
      if (tiles * splits >= BUSY_WITH_WIDE) return busiest;
    }
  }
  return busiest;
}
