import type { FamilyError } from '../errors';

/** What a checkpoint's tensors are to a model. */
export interface StoredNames {
  /** The stored name of each weight, by its name without the backbone's prefix; heads by the name they are loaded under. */
  readonly byName: ReadonlyMap<string, string>;
  /** Stored heads; whether one is read depends on the model. */
  readonly heads: readonly string[];
  /** Stored causal masks, which no model reads. */
  readonly masks: readonly string[];
  /** Two stored names of one weight, where there are any. */
  readonly twice: readonly (readonly [string, string])[];
  /** Tensors that are none of these. */
  readonly other: readonly string[];
}

/** What a family calls its weights, and how it says what is wrong with a checkpoint. */
export interface WeightScheme {
  /** The family, for messages. */
  readonly family: string;
  /** What a backbone's weights have before their names in the files that transformers writes of a model with a head. */
  readonly prefix: string;
  /** The key of config.json that counts layers. */
  readonly layersKey: string;
  /** Sorts a checkpoint's tensors. */
  storedNames(names: Iterable<string>): StoredNames;
  /** Whether a backbone of so many layers has a weight of that name, or one that it is a part of. */
  hasPlace(name: string, layers: number): boolean;
  /** How errors are made. */
  readonly error: FamilyError;
}
