/** y[m] = tokenTable[ids[m]] + positionTable[positions[m]] for rows of `columns` elements, in float64. */
export function embeddingReference(
  ids: ArrayLike<number>,
  positions: ArrayLike<number>,
  tables: { token: ArrayLike<number>; position: ArrayLike<number>; columns: number },
): Float64Array {
  const { token, position, columns } = tables;
  const y = new Float64Array(ids.length * columns);
  for (let m = 0; m < ids.length; m++) {
    for (let c = 0; c < columns; c++) {
      y[m * columns + c] = token[ids[m]! * columns + c]! + position[positions[m]! * columns + c]!;
    }
  }
  return y;
}
