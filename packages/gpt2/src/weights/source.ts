import { toFloat32, type Checkpoint, type StoredTensor } from '@qlora-js/hub';
import { isQuantPart } from './names';
import type { WeightScheme } from './scheme';

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

  /** A weight as float32, its shape checked; NaN and infinity are errors that name it. */
  async dense(name: string, shape: readonly number[]): Promise<Float32Array> {
    const tensor = this.checked(await this.stored(name), shape);
    const values = toFloat32(tensor);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw this.notFinite(tensor.name, values[bad]!, bad);
    return values;
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
    const bad = halves.findIndex((half) => (half & 0x7c00) === 0x7c00);
    if (bad >= 0) throw this.notFinite(stored, (halves[bad]! & 0x3ff) === 0 ? Infinity : NaN, bad);
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
