import { logNormalMass, logSqrt2Pi } from './normal';

/** Numbers of a kernel over one continuous parameter: mean, 1 / bandwidth, and what its log density has besides a square. */
export const perKernel = 3;

/**
 * The kernels of one side over one search space, kept from one trial's estimator to the next, which finds most of them
 * unchanged. A slot's kernels over all continuous parameters lie side by side, as a density reads them.
 */
export class KernelTable {
  /** `stride` numbers a slot, `perKernel` of them a continuous parameter. */
  data = new Float64Array();
  readonly stride: number;
  private readonly columns: readonly KernelColumnStore[];

  /** @param continuous for each numerical parameter of the space, whether it is one without a step */
  constructor(continuous: readonly boolean[]) {
    let offset = 0;
    this.columns = continuous.map((is) => new KernelColumnStore(this, is ? perKernel * offset++ : undefined));
    this.stride = perKernel * offset;
  }

  /** Where the kernels of a numerical parameter are, by its place among those. */
  column(index: number): KernelColumnStore {
    return this.columns[index]!;
  }

  /** Makes room for slots. */
  reserve(slots: number): void {
    if (slots * this.stride <= this.data.length) return;
    const wider = new Float64Array(2 * slots * this.stride);
    wider.set(this.data);
    this.data = wider;
  }
}

/** One parameter's kernels in a table, by slot. */
export class KernelColumnStore {
  private low = NaN;
  private high = NaN;
  /** Bandwidths; NaN where nothing is known of the slot yet. */
  widths = new Float64Array();
  /** Logarithm of each kernel's mass within the range. */
  logMasses = new Float64Array();

  constructor(
    private readonly table: KernelTable,
    /** Place within a slot's numbers; undefined for a parameter with a step. */
    readonly offset: number | undefined,
  ) {}

  /** The numbers of all slots and parameters. */
  get data(): Float64Array {
    return this.table.data;
  }

  /** Place of a slot's kernel in `data`. */
  placeOf(slot: number): number {
    return slot * this.table.stride + this.offset!;
  }

  /**
   * Makes room for slots, and forgets what was computed for another range.
   * @param lasting slots from this one on held something else before
   */
  prepare({ slots, lasting, low, high }: { slots: number; lasting: number; low: number; high: number }): void {
    if (slots > this.widths.length) {
      const wider = (from: Float64Array) => {
        const to = new Float64Array(2 * slots).fill(NaN);
        to.set(from);
        return to;
      };
      this.widths = wider(this.widths);
      this.logMasses = wider(this.logMasses);
    }
    if (this.low !== low || this.high !== high) this.widths.fill(NaN);
    this.widths.fill(NaN, lasting);
    this.low = low;
    this.high = high;
    this.table.reserve(slots);
  }

  /** Computes a kernel. */
  set(slot: number, mean: number, width: number): void {
    const logMass = logNormalMass((this.low - mean) / width, (this.high - mean) / width);
    this.widths[slot] = width;
    this.logMasses[slot] = logMass;
    if (this.offset === undefined) return;
    const place = this.placeOf(slot);
    this.data[place] = mean;
    this.data[place + 1] = 1 / width;
    this.data[place + 2] = -logMass - Math.log(width) - logSqrt2Pi;
  }
}
