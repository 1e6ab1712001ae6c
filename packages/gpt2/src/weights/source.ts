import { toFloat32, type Checkpoint, type StoredTensor } from '@qlora-js/hub';
import { isQuantPart } from './names';
import type { WeightScheme } from './scheme';
import { STRIPE, transposeStripe } from './transpose';

/** A checkpoint's weights under the names a backbone has them. */
export class WeightSource {
  private readonly byName: ReadonlyMap<string, string>;
  /** Stored tensors that the model has no place for. */
  readonly unexpected: readonly string[];
  /** Stored causal masks. */
  readonly masks: readonly string[];
  private readonly heads: readonly string[];
  private readonly read = new Set<string>();

  constructor(
    private readonly checkpoint: Checkpoint,
    readonly place: string,
    private readonly scheme: WeightScheme,
  ) {
    const { byName, heads, masks, twice, other } = scheme.storedNames(checkpoint.names());
    const [pair] = twice;
    if (pair !== undefined) {
      throw scheme.error(
        'BAD_CHECKPOINT',
        `${place} holds one weight twice, as '${pair[0]}' and '${pair[1]}': take the one that is not meant out of the file`,
      );
    }
    this.byName = byName;
    this.heads = heads;
    this.masks = masks;
    this.unexpected = other;
  }

  /** Stored heads that the model did not read: another task's, or a copy of the embedding that it shares. */
  get unusedHeads(): readonly string[] {
    return this.heads.filter((name) => !this.read.has(name));
  }

  /** Throws where more of a backbone is stored than one of so many layers has: further layers, or parts unknown. */
  checkPlaces(layers: number): void {
    const { family, layersKey } = this.scheme;
    const left = [...this.byName]
      .filter(([name, stored]) => !this.heads.includes(stored) && !this.scheme.hasPlace(name, layers))
      .map(([, stored]) => stored);
    if (left.length === 0) return;
    throw this.error(
      `${this.place} holds ${left.length} tensors of a ${family} that config.json, with ${layersKey} ${layers}, has no place for: ` +
        `${left.slice(0, 3).join(', ')}${left.length > 3 ? ', ...' : ''}. Config and weights are not of one model`,
    );
  }

  /** An error about this checkpoint. */
  error(message: string, cause?: unknown): Error {
    return this.scheme.error('BAD_CHECKPOINT', message, cause === undefined ? {} : { cause });
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** Shape of a stored weight, or undefined where it is missing. */
  shape(name: string): readonly number[] | undefined {
    const stored = this.byName.get(name);
    return stored === undefined ? undefined : this.checkpoint.info(stored).shape;
  }

  /** A stored tensor as it is. */
  async stored(name: string): Promise<StoredTensor> {
    const stored = this.byName.get(name);
    if (stored === undefined) {
      throw this.error(
        `${this.place} lacks '${this.scheme.prefix}${name}': the file is cut short or is another model's`,
      );
    }
    this.read.add(stored);
    return this.checkpoint.read(stored);
  }

  /**
   * A weight as float32, its shape checked; NaN and infinity are errors that name it.
   *
   * @param scratch memory that the values may be written to
   */
  async dense(name: string, shape: readonly number[], scratch?: Float32Array): Promise<Float32Array> {
    const tensor = this.checked(await this.stored(name), shape);
    const values = toFloat32(tensor, scratch);
    const bad = firstNotFinite(values);
    if (bad >= 0) throw this.notFinite(tensor.name, values[bad]!, bad);
    return values;
  }

  /** A weight that is stored as [rows, columns], as [columns, rows]; else as `dense`. */
  async denseTransposed(
    name: string,
    [rows, columns]: readonly [rows: number, columns: number],
    scratch: Float32Array = new Float32Array(rows * columns),
  ): Promise<Float32Array> {
    let row = 0;
    for (const stripe of await this.denseParts(name, [rows, columns], STRIPE * columns)) {
      transposeStripe(stripe, columns, { result: scratch, rows, row });
      row += STRIPE;
    }
    return scratch;
  }

  /** A weight as float32 in parts of at most so many values, in one memory that the next part is written to. */
  async denseParts(name: string, shape: readonly number[], most: number): Promise<Iterable<Float32Array>> {
    const tensor = this.checked(await this.stored(name), shape);
    const size = shape.reduce((product, length) => product * length, 1);
    const bytesEach = tensor.bytes.byteLength / size;
    const scratch = new Float32Array(Math.min(most, size));
    const part = (start: number): Float32Array => {
      const end = Math.min(start + most, size);
      const bytes = tensor.bytes.subarray(start * bytesEach, end * bytesEach);
      const values = toFloat32({ ...tensor, bytes }, scratch.subarray(0, end - start));
      const bad = firstNotFinite(values);
      if (bad >= 0) throw this.notFinite(tensor.name, values[bad]!, start + bad);
      return values;
    };
    return (function* () {
      for (let start = 0; start < size; start += most) yield part(start);
    })();
  }

  /**
   * A weight that is stored in float16, as its bits: a large embedding then never lies in memory as float32. Undefined
   * where it is stored otherwise.
   */
  async halves(name: string, shape: readonly number[]): Promise<Uint16Array | undefined> {
    const stored = this.byName.get(name);
    if (stored === undefined || this.checkpoint.info(stored).dtype !== 'F16') return undefined;
    const { bytes } = this.checked(await this.stored(name), shape);
    // A copy where the bytes lie at an odd place.
    const { buffer, byteOffset, byteLength } = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
    const halves = new Uint16Array(buffer, byteOffset, byteLength / 2);
    let bad = 0;
    while (bad < halves.length && (halves[bad]! & 0x7c00) !== 0x7c00) bad++;
    if (bad < halves.length) throw this.notFinite(stored, (halves[bad]! & 0x3ff) === 0 ? Infinity : NaN, bad);
    return halves;
  }

  private checked(tensor: StoredTensor, shape: readonly number[]): StoredTensor {
    if (tensor.shape.join() === shape.join()) return tensor;
    throw this.error(
      `${this.place}: '${tensor.name}' has shape [${tensor.shape.join(', ')}], but config.json asks for [${shape.join(', ')}]`,
    );
  }

  private notFinite(name: string, value: number, element: number): Error {
    return this.error(`${this.place}: '${name}' holds ${value} at element ${element}`);
  }

  /** The tensors of a weight that is stored in 4 bits, or undefined for a dense one. */
  async quantised(name: string): Promise<StoredTensor[] | undefined> {
    const parts = [...this.byName.keys()].filter((key) => key.startsWith(`${name}.`) && isQuantPart(key));
    if (parts.length === 0) return undefined;
    const tensors: StoredTensor[] = [];
    for (const key of [name, ...parts]) tensors.push({ ...(await this.stored(key)), name: key });
    return tensors;
  }
}

/** Place of the first value that is NaN or infinite, or -1. */
function firstNotFinite(values: Float32Array): number {
  // A plain loop: findIndex with a callback took a third of the time that a model loads in.
  for (let i = 0; i < values.length; i++) if (values[i]! - values[i]! !== 0) return i;
  return -1;
}
