/** Threads of a workgroup, 16 x 16. */
const SIDE = 16;
const THREADS = SIDE * SIDE;
/** Depth of the tiles in workgroup memory. */
const TILE_DEPTH = 16;

/** Values of the product that a thread computes. */
export type TileConstants = Readonly<Record<'rowsPerThread' | 'columnsPerThread', number>>;

/** Workgroups that a product takes. */
export function tileGrid(rows: number, columns: number, tile: TileConstants): [number, number, number] {
  return [Math.ceil(columns / (SIDE * tile.columnsPerThread)), Math.ceil(rows / (SIDE * tile.rowsPerThread)), 1];
}

export interface TiledProductParts {
  readonly rowsPerThread: number;
  readonly columnsPerThread: number;
  /** WGSL of bindings and helpers; `uniforms` has u32 rows, columns, depth. */
  readonly declarations: string;
  /** Statements before the loop over the depth. */
  readonly prologue?: string;
  /** Statements that fill a tile from `depth0`, with `lane`; see `loadTile`. */
  readonly loadLeft: string;
  readonly loadRight: string;
  /** Expression of what is written for `value` at `row`, `column`. */
  readonly result: string;
}

/**
 * A matrix product in plain WGSL. Tiles of both factors, 16 deep, pass through workgroup memory; a thread keeps up to
 * 4 x 4 sums in registers, 16 apart, so that neighbouring threads read neighbouring words. Rows of the tiles are one
 * word longer than needed: filling a tile along its depth then hits every bank once.
 */
export function tiledProduct(parts: TiledProductParts): string {
  const { rowsPerThread, columnsPerThread, declarations, prologue = '', loadLeft, loadRight, result } = parts;
  const rows = Array.from({ length: rowsPerThread }, (_, i) => i);
  const columns = Array.from({ length: columnsPerThread }, (_, j) => j);
  const pairs = rows.flatMap((i) => columns.map((j) => [i, j] as const));
  return /* wgsl */ `
const THREADS = ${THREADS}u;
const TILE_DEPTH = ${TILE_DEPTH}u;
const TILE_ROWS = ${SIDE * rowsPerThread}u;
const TILE_COLUMNS = ${SIDE * columnsPerThread}u;
const LEFT_PITCH = TILE_ROWS + 1u;
const RIGHT_PITCH = TILE_COLUMNS + 1u;
// [depth][row] and [depth][column].
var<workgroup> left: array<f32, LEFT_PITCH * TILE_DEPTH>;
var<workgroup> right: array<f32, RIGHT_PITCH * TILE_DEPTH>;
${declarations}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row0 = workgroup.y * TILE_ROWS;
  let column0 = workgroup.x * TILE_COLUMNS;
  let threadRow = lane / ${SIDE}u;
  let threadColumn = lane % ${SIDE}u;
  ${prologue}
  ${pairs.map(([i, j]) => `var sum${i}${j} = 0.0;`).join(' ')}
  for (var depth0 = 0u; depth0 < uniforms.depth; depth0 += TILE_DEPTH) {
    ${loadLeft}
    ${loadRight}
    workgroupBarrier();
    for (var d = 0u; d < TILE_DEPTH; d++) {
      ${rows.map((i) => `let a${i} = left[d * LEFT_PITCH + threadRow + ${SIDE * i}u];`).join(' ')}
      ${columns.map((j) => `let b${j} = right[d * RIGHT_PITCH + threadColumn + ${SIDE * j}u];`).join(' ')}
      ${pairs.map(([i, j]) => `sum${i}${j} += a${i} * b${j};`).join(' ')}
    }
    workgroupBarrier();
  }
  ${pairs.map(([i, j]) => `store(row0 + threadRow + ${SIDE * i}u, column0 + threadColumn + ${SIDE * j}u, sum${i}${j});`).join('\n  ')}
}

fn store(row: u32, column: u32, value: f32) {
  if (row < uniforms.rows && column < uniforms.columns) {
    product[row * uniforms.columns + column] = ${result};
  }
}`;
}

/**
 * Statements that fill a tile value by value. Neighbouring threads take values that lie side by side in memory: along
 * the depth, or along the other side.
 *
 * @param alongDepth WGSL condition
 * @param value WGSL function of (row or column, depth)
 */
export function loadTile(tile: 'left' | 'right', alongDepth: string, value: string): string {
  const [side0, extent, pitch] =
    tile === 'left' ? ['row0', 'TILE_ROWS', 'LEFT_PITCH'] : ['column0', 'TILE_COLUMNS', 'RIGHT_PITCH'];
  return `for (var i = lane; i < ${extent} * TILE_DEPTH; i += THREADS) {
      let side = select(i % ${extent}, i / TILE_DEPTH, ${alongDepth});
      let depth = select(i / ${extent}, i % TILE_DEPTH, ${alongDepth});
      ${tile}[depth * ${pitch} + side] = ${value}(${side0} + side, depth0 + depth);
    }`;
}
