import { threadsForRow } from './reduce';
import { spread, WORKGROUP_INDEX, WORKGROUP_PARAMETERS } from './shader';

/** How a workgroup takes a row of a matrix. */
export interface RowVariant extends Readonly<Record<string, number | boolean>> {
  readonly threads: number;
  /** Four columns a load, where the row length allows. */
  readonly vector: boolean;
}

/** The variant for rows of so many columns, and their length in loads. */
export function rowVariant(columns: number): { variant: RowVariant; rowLength: number } {
  const vector = columns % 4 === 0;
  return { variant: { threads: threadsForRow(columns), vector }, rowLength: vector ? columns / 4 : columns };
}

const COLUMNS = 32;
const LANES = 8;

/** WGSL of sums down a matrix's columns. */
export interface ColumnSums {
  /** What is summed, and its name in the other texts. */
  readonly sum: { readonly name: string; readonly type: 'f32' | 'vec2f'; readonly zero: string };
  /** Statements that add what stands at `row` and `column`. */
  readonly add: readonly string[];
  /** Statements that store the sum of `column`. */
  readonly store: readonly string[];
}

/**
 * An entry point over uniforms `rows` and `columns`: a workgroup takes 32 columns; eight threads a column walk over the
 * rows and are added in order at the end. For `columnWorkgroups`.
 */
export function columnSums({ sum: { name, type, zero }, add, store }: ColumnSums): string {
  return /* wgsl */ `
var<workgroup> partials: array<${type}, ${COLUMNS * LANES}>;

@compute @workgroup_size(${COLUMNS * LANES})
fn main(${WORKGROUP_PARAMETERS}) {
  let column = (${WORKGROUP_INDEX}) * ${COLUMNS}u + lane % ${COLUMNS}u;
  var ${name} = ${zero};
  if (column < uniforms.columns) {
    for (var row = lane / ${COLUMNS}u; row < uniforms.rows; row += ${LANES}u) {
      ${add.join('\n      ')}
    }
  }
  partials[lane] = ${name};
  workgroupBarrier();
  if (lane < ${COLUMNS}u && column < uniforms.columns) {
    for (var other = lane + ${COLUMNS}u; other < ${COLUMNS * LANES}u; other += ${COLUMNS}u) { ${name} += partials[other]; }
    ${store.join('\n    ')}
  }
}`;
}

/** Workgroups that `columnSums` needs. */
export function columnWorkgroups(columns: number): [number, number, number] {
  return spread(Math.ceil(columns / COLUMNS));
}
