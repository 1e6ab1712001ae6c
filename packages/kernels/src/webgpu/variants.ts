import { workgroupBytes, type MatrixTile } from '../ops/matmul4bit/matrix-tiles';
import { LANES } from './subgroup-matrix';

/** GPUAdapterInfo with what the experimental subgroup matrices add to it. */
interface MatrixAdapterInfo {
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly M: number;
    readonly N: number;
    readonly K: number;
    readonly componentType: string;
    readonly resultComponentType: string;
  }>;
}

const matrices = new WeakMap<GPUDevice, boolean>();
const adapters = new WeakMap<GPUDevice, MatrixAdapterInfo>();

/** Notes what a device's adapter says of itself: in Node, the device leaves the subgroup matrices out. */
export function noteAdapter(device: GPUDevice, info: GPUAdapterInfo): void {
  adapters.set(device, info);
}

/**
 * Whether a device multiplies 16 x 16 x 16 subgroup matrices of f16 with sums in f32, in subgroups of 32 lanes and no
 * others: the shaders number subgroups by the thread.
 */
export function hasSubgroupMatrices(device: GPUDevice): boolean {
  let known = matrices.get(device);
  if (known === undefined) {
    const info: MatrixAdapterInfo = adapters.get(device) ?? device.adapterInfo;
    const features: ReadonlySet<string> = device.features;
    const wanted = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
    known =
      wanted.every((name) => features.has(name)) &&
      info.subgroupMinSize === LANES &&
      info.subgroupMaxSize === LANES &&
      [...(info.subgroupMatrixConfigs ?? [])].some(
        ({ M, N, K, componentType, resultComponentType }) =>
          M === 16 && N === 16 && K === 16 && componentType === 'f16' && resultComponentType === 'f32',
      );
    matrices.set(device, known);
  }
  return known;
}

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
 * Rows from which it pays to dequantise W first. On an H200, x in float16, 2048 rows by 3072 and 4096 columns and
 * depth 1024: 164 and 167 TFLOP/s with it, its pass included, 149 and 151 at most without. At 384 rows two steps of
 * GPT-2 medium took 13.1 and 13.5 ms with it and 14.2 and 14.3 without: the pass waits for nothing, and a workgroup of
 * the product has less to do, which is what counts as long as they are fewer than processors.
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
  for (const tile of halfWeight && !halves ? [WIDE, LARGE, SMALL] : [LARGE, SMALL]) {
    const bytes = workgroupBytes({ ...tile, transposed });
    if (bytes > device.limits.maxComputeWorkgroupStorageSize || columns % tile.tileColumns !== 0) continue;
    if (rank > tile.tileDepth) continue;
    const tiles = Math.ceil(rows / tile.tileRows) * (columns / tile.tileColumns);
    if (tile === WIDE && tiles < 2 * BUSY) continue;
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
