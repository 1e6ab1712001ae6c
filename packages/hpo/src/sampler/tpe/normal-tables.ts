/** exp(x^2) erfc(x) by its continued fraction (DLMF 7.9.2), evaluated forwards (Lentz); for x of 2 or more. */
function byContinuedFraction(x: number): number {
  let fraction = x;
  let c = x;
  let d = 0;
  for (let n = 1; n < 300; n++) {
    d = 1 / (x + (n / 2) * d);
    c = x + n / 2 / c;
    const factor = c * d;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-16) break;
  }
  return 1 / (fraction * Math.sqrt(Math.PI));
}

/** exp(x^2) erfc(x) by erf's series of positive terms (DLMF 7.6.2); for x from 0 to 2. */
function bySeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > 1e-18 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return Math.exp(x * x) - (2 / Math.sqrt(Math.PI)) * sum;
}

const nodesPerUnit = 16;
/** Beyond it the continued fraction converges within a few terms. */
const tableEnd = 12;
const terms = 12;

/**
 * Taylor coefficients of w(x) = exp(x^2) erfc(x) at the nodes. w' = 2 x w - 2 / sqrt(pi), hence
 * c[k + 1] = 2 (x c[k] + c[k - 1]) / (k + 1).
 */
function makeTable(): Float64Array {
  const table = new Float64Array((tableEnd * nodesPerUnit + 1) * terms);
  for (let node = 0; node <= tableEnd * nodesPerUnit; node++) {
    const x = node / nodesPerUnit;
    const row = table.subarray(node * terms, (node + 1) * terms);
    row[0] = x < 1 ? bySeries(x) : x < 2 ? refined(x) : byContinuedFraction(x);
    row[1] = 2 * x * row[0] - 2 / Math.sqrt(Math.PI);
    for (let k = 1; k + 1 < terms; k++) row[k + 1] = (2 * (x * row[k]! + row[k - 1]!)) / (k + 1);
  }
  return table;
}

/** From 1 to 2 the series cancels: w there is 1 / 3 and less of its terms. The fraction converges, only slower. */
function refined(x: number): number {
  // Backwards, from far enough out that the start does not matter.
  let tail = x;
  for (let n = 400; n >= 1; n--) tail = x + n / 2 / tail;
  return 1 / (tail * Math.sqrt(Math.PI));
}

const table = /* @__PURE__ */ makeTable();

/** exp(x^2) erfc(x) for x of at least 0, to some 15 digits: Taylor's polynomial at the nearest node. */
export function scaledErfc(x: number): number {
  if (!(x <= tableEnd)) return byContinuedFraction(x);
  const node = Math.round(x * nodesPerUnit);
  const h = x - node / nodesPerUnit;
  let row = (node + 1) * terms - 1;
  let sum = table[row]!;
  for (let k = 1; k < terms; k++) sum = sum * h + table[--row]!;
  return sum;
}
