/** Lists and objects inside each other are shown to this depth. */
const DEEPEST = 4;

/**
 * A value as an error shows it: like JSON, but cut to `longest` characters (120 by default) and safe for any value: big
 * integers, circular lists, deep nesting, a megabyte of text.
 */
export function shown(value: unknown, { longest = 120 }: { readonly longest?: number } = {}): string {
  const text = write(value, longest + 1, 0);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** At least `room` characters of the value, or all of it. */
function write(value: unknown, room: number, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > room ? value.slice(0, room) : value);
    case 'bigint':
      return value.toString();
    case 'function':
      return 'a function';
    case 'object':
      break;
    default:
      return String(value);
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    if (depth === DEEPEST) return '[…]';
    return `[${joined(value, room, (item) => write(item, room, depth + 1))}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value.constructor?.name ?? 'an object';
  if (depth === DEEPEST) return '{…}';
  const record = value as Record<string, unknown>;
  const entry = (key: string): string => `${write(key, room, depth)}:${write(record[key], room, depth + 1)}`;
  return `{${joined(Object.keys(record), room, entry)}}`;
}

function joined<Item>(items: readonly Item[], room: number, text: (item: Item) => string): string {
  let result = '';
  for (let i = 0; i < items.length && result.length <= room; i++) result += (i > 0 ? ',' : '') + text(items[i]!);
  return result;
}
