/** What a pickle may build here: plain data, and what the allow-listed globals make of it. Nothing of it can run. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleGlobal
  | PickleObject;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class PickleList {
  constructor(readonly items: PickleValue[]) {}
}

/** A dict or OrderedDict: entries in the order of their first assignment. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>();
}

/** A class or function that the pickle names, never the thing itself. */
export class PickleGlobal {
  constructor(
    /** `module.name` as Python says it. */
    readonly name: string,
    /** What calling it gives; undefined where it is only passed around (a storage type, a dtype). */
    readonly call?: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

/** Base of what the caller's globals and persistent ids build. */
export abstract class PickleObject {
  abstract readonly describe: string;
}

/** A Python-like name of the value's type, for errors. */
export function typeName(value: PickleValue | undefined): string {
  if (value === null) return 'None';
  if (value === undefined) return 'nothing';
  if (value instanceof PickleTuple) return 'tuple';
  if (value instanceof PickleList) return 'list';
  if (value instanceof PickleDict) return 'dict';
  if (value instanceof PickleGlobal) return value.name;
  if (value instanceof PickleObject) return value.describe;
  if (value instanceof Uint8Array) return 'bytes';
  return { boolean: 'bool', number: 'number', bigint: 'int', string: 'str' }[
    typeof value as 'boolean' | 'number' | 'bigint' | 'string'
  ];
}
