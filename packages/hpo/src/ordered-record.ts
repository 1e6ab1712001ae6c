/** Whether JavaScript would move a property of this name before all others: it takes such names for array indices. */
function isIndexLike(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name);
}

/**
 * A record whose names keep the order of the entries, the first place of a name counting and its last value, as in a
 * Python dict. JavaScript lists names like `'10'` before others and by size; where there are any, a proxy says the
 * order, and everything that lists names (Object.keys, JSON.stringify, spread) asks it.
 * @param refused names that are not listed, and whose value throws
 */
export function orderedRecord<T>(
  entries: Iterable<readonly [name: string, value: T]>,
  refused: Readonly<Record<string, () => never>> = {},
): Readonly<Record<string, T>> {
  const list = [...entries];
  const record = Object.fromEntries(list);
  const names = new Set([...list.map(([name]) => name), ...Object.keys(refused)]);
  for (const [name, refuse] of Object.entries(refused)) Object.defineProperty(record, name, { get: refuse });
  Object.freeze(record);
  if (![...names].some(isIndexLike)) return record;
  const order = [...names];
  return new Proxy(record, { ownKeys: () => order });
}

/** A record with one value set: an old name keeps its place, a new one comes last. */
export function withEntry<T>(record: Readonly<Record<string, T>>, name: string, value: T): Readonly<Record<string, T>> {
  return orderedRecord([...Object.entries(record), [name, value]]);
}
