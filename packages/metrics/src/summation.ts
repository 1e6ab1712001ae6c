/**
 * Sum with Neumaier's compensation (Zeitschrift für Angewandte Mathematik und Mechanik 54, 1974), so that a mean over
 * many samples stays within 1e-12 of numpy's pairwise sum whatever the order of the terms.
 */
export class CompensatedSum {
  private total = 0;
  private correction = 0;

  add(term: number): void {
    const next = this.total + term;
    this.correction += Math.abs(this.total) >= Math.abs(term) ? this.total - next + term : term - next + this.total;
    this.total = next;
  }

  get value(): number {
    // An infinite or NaN total makes the correction NaN: the plain total is then the right answer.
    return Number.isFinite(this.total) ? this.total + this.correction : this.total;
  }
}

export function sum(terms: ArrayLike<number>): number {
  const total = new CompensatedSum();
  for (let i = 0; i < terms.length; i++) total.add(terms[i]!);
  return total.value;
}

/** Mean of the terms; NaN where there are none, as numpy has it. */
export function mean(terms: ArrayLike<number>): number {
  return sum(terms) / terms.length;
}

/** Sum of weight times term over sum of weights; NaN where the weights add up to nothing. */
export function weightedMean(terms: ArrayLike<number>, weights: ArrayLike<number>): number {
  const total = new CompensatedSum();
  for (let i = 0; i < terms.length; i++) if (weights[i] !== 0) total.add(terms[i]! * weights[i]!);
  return total.value / sum(weights);
}
