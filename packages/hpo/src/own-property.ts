/** The own property of a record by a name from outside; `record[name]` would also find `constructor` and its like. */
export function ownProperty<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
