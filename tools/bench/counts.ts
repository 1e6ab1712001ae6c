import { GPT2_MEDIUM, LABELS, type ModelSize } from './gpt2-medium';

/** What a kind of work takes in one training step, forward and backward together. */
export interface WorkCount {
  readonly work: string;
  /** Runs of such a product or pass, each at least a dispatch. */
  readonly passes: number;
  readonly flop: number;
  /** Fewest bytes through device memory: every input read once, every output written once, activations float32. */
  readonly bytes: number;
}

/** Rates the floors are taken at: the card's matrix units and memory as measured by PyTorch on an H200. */
export const CEILINGS = { flopPerSecond: 790e12, bytesPerSecond: 4.3e12 } as const;

/** LoRA: rank and which of a block's four products it sits on, as [inputs, outputs] in units of the width. */
const RANK = 16;
const FLOAT = 4;
/** Bytes a weight in NF4 with nested absmax: facts of the format. */
const NF4 = 0.5 + 1 / 64 + 4 / (64 * 256);

/**
 * Work of a QLoRA step of a classifier, without checkpointing: no gradient of the frozen weights, so a layer's product
 * runs once forward and once for its input.
 */
export function countStep(batch: number, length: number, size: ModelSize = GPT2_MEDIUM): WorkCount[] {
  const { layers, width, heads } = size;
  const rows = batch * length;
  const products: (readonly [number, number, boolean])[] = [
    [width, 3 * width, true],
    [width, width, true],
    [width, 4 * width, false],
    [4 * width, width, true],
  ];
  const sum = (of: (inputs: number, outputs: number, adapted: boolean) => number): number =>
    layers * products.reduce((total, product) => total + of(...product), 0);
  const adapted = layers * 3;
  const activations = rows * width * FLOAT;
  const forward = 2;
  return [
    {
      work: '4-bit products, forward',
      passes: layers * 4,
      flop: sum((inputs, outputs) => 2 * rows * inputs * outputs),
      bytes: sum((inputs, outputs) => rows * (inputs + outputs) * FLOAT + inputs * outputs * NF4),
    },
    {
      work: '4-bit products, input gradient',
      passes: layers * 4,
      flop: sum((inputs, outputs) => 2 * rows * inputs * outputs),
      bytes: sum((inputs, outputs) => rows * (inputs + outputs) * FLOAT + inputs * outputs * NF4),
    },
    {
      work: "LoRA's products: A and B, forward, input and weight gradients",
      passes: adapted * 6,
      flop: sum((inputs, outputs, on) => (on ? 3 * 2 * rows * RANK * (inputs + outputs) : 0)),
      bytes: sum((inputs, outputs, on) =>
        on ? 3 * (rows * (inputs + outputs + 2 * RANK) + RANK * (inputs + outputs)) * FLOAT : 0,
      ),
    },
    {
      work: 'attention, forward and backward, causal half',
      passes: layers * 3,
      flop: layers * heads * batch * ((length * (length + 1)) / 2) * (width / heads) * 2 * (2 + 5),
      bytes: layers * activations * (4 + 8),
    },
    {
      work: 'layer norm, forward and backward',
      passes: (2 * layers + 1) * 2,
      flop: (2 * layers + 1) * rows * width * 20,
      bytes: (2 * layers + 1) * activations * 5,
    },
    {
      work: 'gelu, forward and backward',
      passes: layers * 2,
      flop: layers * rows * 4 * width * 30,
      bytes: layers * 4 * activations * 5,
    },
    {
      work: 'dropout of LoRA inputs and residuals, sums, forward and backward',
      passes: layers * (3 + 2 + 3) * 2,
      // A draw of Philox for eight elements is about 200 integer operations.
      flop: sum((inputs, _outputs, on) => (on ? 2 * forward * 25 * rows * inputs : 0)),
      bytes:
        sum((inputs, outputs, on) => (on ? 2 * rows * (2 * inputs + 3 * outputs) * FLOAT : 0)) +
        layers * 2 * 2 * 3 * activations,
    },
    {
      work: 'clip and 8-bit AdamW',
      passes: 145 * 2,
      flop: 30 * (layers * RANK * 11 * width + LABELS * width),
      bytes: (layers * RANK * 11 * width + LABELS * width) * (3 * FLOAT + 4),
    },
  ];
}

/** Seconds that no version of this work runs under: arithmetic or memory, whichever takes longer. */
export const floorSeconds = ({ flop, bytes }: WorkCount): number =>
  Math.max(flop / CEILINGS.flopPerSecond, bytes / CEILINGS.bytesPerSecond);
