import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';

/** Tensors by name; an optional one is absent, never null. */
export type NamedTensors = Record<string, Tensor | undefined>;

/** The same tensors as a backend's kernel is handed them, and gives them. */
export type InfoOf<Tensors> = Tensors extends Tensor
  ? TensorInfo
  : Tensors extends undefined
    ? undefined
    : { [K in keyof Tensors]: InfoOf<Tensors[K]> };

/** What an op gives: one tensor, or several by name. tfjs wants a list, which the names are put back on. */
export interface Listed<Held> {
  readonly list: Held[];
  /** Undefined for one tensor. */
  readonly names: readonly string[] | undefined;
}

/** A result as a list of what is there. */
export function listed<Held extends TensorInfo>(result: object): Listed<Held> {
  if ('dataId' in result) return { list: [result as Held], names: undefined };
  const entries = Object.entries(present(result as Record<string, Held | undefined>));
  return { list: entries.map(([, tensor]) => tensor), names: entries.map(([name]) => name) };
}

/** The result that `listed` took apart. */
export function unlisted<Result extends object>({ list, names }: Listed<unknown>): Result {
  return (names === undefined ? list[0] : Object.fromEntries(names.map((name, i) => [name, list[i]]))) as Result;
}

/** Those that are there. */
export function present<Held>(tensors: Record<string, Held | null | undefined>): Record<string, Held> {
  const found: Record<string, Held> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor !== undefined && tensor !== null) found[name] = tensor;
  }
  return found;
}
