import leven from 'leven';
import { DataError, shown } from '../errors';

/** Where a label was met, for the error about it. */
export interface LabelPlace {
  row?: number;
  source?: string;
}

/** The labels of a classifier: names to ids 0 .. size - 1 and back, in a fixed order. */
export class LabelMap {
  readonly names: readonly string[];
  private readonly ids: ReadonlyMap<string, number>;

  private constructor(names: readonly string[]) {
    this.names = Object.freeze([...names]);
    this.ids = new Map(names.map((name, id) => [name, id]));
  }

  /**
   * Labels in the order given: the first gets id 0.
   * @throws DataError `INVALID_LABELS`: none at all, an empty name, or one that is there twice
   */
  static fromNames(names: readonly string[]): LabelMap {
    if (names.length === 0) throw new DataError('INVALID_LABELS', 'a label map needs at least one label');
    const seen = new Map<string, number>();
    names.forEach((name, id) => {
      if (typeof name !== 'string' || name.trim() === '') {
        throw new DataError(
          'INVALID_LABELS',
          `label ${id} must be a name with letters in it, got ${shown(name)}`,
          name,
        );
      }
      const earlier = seen.get(name);
      if (earlier !== undefined) {
        throw new DataError(
          'INVALID_LABELS',
          `the label ${shown(name)} is there twice, as ${earlier} and as ${id}; each label is listed once`,
          name,
        );
      }
      seen.set(name, id);
    });
    return new LabelMap(names);
  }

  /** The distinct values in sorted order, as Hugging Face's `class_encode_column` numbers them. */
  static fromValues(values: Iterable<string>): LabelMap {
    return LabelMap.fromNames([...new Set(values)].sort());
  }

  /** From the `id2label` of a model's config.json. @throws DataError `INVALID_LABELS` when ids are not 0 .. n - 1 */
  static fromId2Label(id2label: Readonly<Record<string, unknown>>): LabelMap {
    const entries = Object.entries(id2label);
    const names = entries.map((_, id): string => {
      const name = Object.hasOwn(id2label, String(id)) ? id2label[String(id)] : undefined;
      if (typeof name !== 'string') {
        throw new DataError(
          'INVALID_LABELS',
          `id2label has ${entries.length} entries, so it needs a name for the id ${id}; got ${shown(name)}`,
          name,
        );
      }
      return name;
    });
    return LabelMap.fromNames(names);
  }

  get size(): number {
    return this.names.length;
  }

  has(name: string): boolean {
    return this.ids.has(name);
  }

  /** The id of a name. @throws DataError `UNKNOWN_LABEL` naming the row, the value and the nearest labels */
  id(name: string, place: LabelPlace = {}): number {
    const id = this.ids.get(name);
    if (id !== undefined) return id;
    const near = this.nearest(name);
    const hint =
      near.length > 0
        ? `did you mean ${near.map((match) => shown(match)).join(' or ')}?`
        : `known: ${someOf(this.names)}`;
    throw new DataError('UNKNOWN_LABEL', `${placed(place)}unknown label ${shown(name)}; ${hint}`, name);
  }

  /** The name of an id. @throws DataError `UNKNOWN_LABEL` */
  name(id: number, place: LabelPlace = {}): string {
    const name = this.names[id];
    if (name === undefined) {
      throw new DataError(
        'UNKNOWN_LABEL',
        `${placed(place)}there is no label ${shown(id)}: ids run from 0 to ${this.size - 1}`,
        id,
      );
    }
    return name;
  }

  /** `label2id` as config.json has it. */
  get label2id(): Record<string, number> {
    return Object.fromEntries(this.names.map((name, id) => [name, id]));
  }

  /** `id2label` as config.json has it. */
  get id2label(): Record<string, string> {
    return Object.fromEntries(this.names.map((name, id) => [String(id), name]));
  }

  /** Up to three labels that differ from `name` in spelling only: case, spaces for underscores, up to a third of its letters. */
  nearest(name: string): string[] {
    const plain = spelled(name);
    return this.names
      .map((label) => ({ label, distance: leven(plain, spelled(label)) }))
      .filter(({ label, distance }) => distance <= Math.max(2, Math.floor(label.length / 3)))
      .sort((one, other) => one.distance - other.distance)
      .slice(0, 3)
      .map(({ label }) => label);
  }
}

/** "test.csv, row 12: ", or what of it is known. */
export function placed({ row, source }: LabelPlace): string {
  const parts = [source, row === undefined ? undefined : `row ${row}`].filter((part) => part !== undefined);
  return parts.length === 0 ? '' : `${parts.join(', ')}: `;
}

function someOf(names: readonly string[]): string {
  const some = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${some} and ${names.length - 5} more` : some;
}

function spelled(name: string): string {
  return String(name)
    .slice(0, 200)
    .toLowerCase()
    .replace(/[\s_-]+/g, '_');
}
