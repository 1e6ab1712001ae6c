import { toFloat32, type Checkpoint, type StoredTensor } from '@qlora-js/hub';
import { Gpt2Error } from '../errors';
import { isQuantPart, storedNames } from './names';

/** A checkpoint's weights under the names a GPT-2 backbone has them. */
export class WeightSource {
  private readonly byName: Map<string, string>;
  /** Stored tensors that a GPT-2 has no place for. */
  readonly unexpected: readonly string[];

  constructor(
    private readonly checkpoint: Checkpoint,
    readonly place: string,
  ) {
    const { byName, other } = storedNames(checkpoint.names());
    this.byName = byName;
    this.unexpected = other;
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
      throw new Gpt2Error(
        'BAD_CHECKPOINT',
        `${this.place} lacks 'transformer.${name}': the file is cut short or is another model's`,
      );
    }
    return this.checkpoint.read(stored);
  }

  /** A weight as float32, its shape checked; NaN and infinity are errors that name it. */
  async dense(name: string, shape: readonly number[]): Promise<Float32Array> {
    const tensor = await this.stored(name);
    if (tensor.shape.join() !== shape.join()) {
      throw new Gpt2Error(
        'BAD_CHECKPOINT',
        `${this.place}: '${tensor.name}' has shape [${tensor.shape.join(', ')}], but config.json asks for [${shape.join(', ')}]`,
      );
    }
    const values = toFloat32(tensor);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new Gpt2Error('BAD_CHECKPOINT', `${this.place}: '${tensor.name}' holds ${values[bad]} at element ${bad}`);
    return values;
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
