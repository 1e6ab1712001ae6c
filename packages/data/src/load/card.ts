import { DataError } from '../errors';

/**
 * Names of the classes by column, from the card of a data set (`dataset_info` in the front matter of its README.md, as
 * Hugging Face's `datasets` writes it).
 * @throws DataError `MALFORMED_CARD` where the front matter is not YAML
 */
export async function classNamesOfCard(card: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const front = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(card.slice(0, MAX_FRONT_MATTER))?.[1];
  if (front === undefined || !front.includes('class_label')) return found;
  const { parse } = await import('yaml');
  let yaml: unknown;
  try {
    // Aliases are how a short YAML text asks for much; cards have none.
    yaml = parse(front, { maxAliasCount: 0, logLevel: 'error' });
  } catch (error) {
    const cause = error instanceof Error ? error.message.split('\n')[0]! : 'unreadable';
    throw new DataError(
      'MALFORMED_CARD',
      `README.md: its front matter is not YAML (${cause}); name the labels instead`,
    );
  }
  const infos = (yaml as { dataset_info?: unknown } | null)?.dataset_info;
  for (const info of Array.isArray(infos) ? infos : [infos]) {
    const features = (info as { features?: unknown } | null | undefined)?.features;
    for (const feature of Array.isArray(features) ? (features as unknown[]) : []) {
      const { name } = (feature ?? {}) as { name?: unknown };
      const names = namesIn(feature);
      if (typeof name === 'string' && names !== undefined) found.set(name, names);
    }
  }
  return found;
}

/** Characters of a card that are looked at. */
const MAX_FRONT_MATTER = 1_000_000;

/** `{ dtype: { class_label: { names: { '0': 'negative', ... } } } }`, or the same inside `sequence` or `list`. */
function namesIn(feature: unknown): readonly string[] | undefined {
  const dtype = field(feature, 'dtype');
  const names = field(field(dtype, 'class_label'), 'names');
  if (names === undefined) {
    const inner = field(feature, 'sequence') ?? field(feature, 'list');
    if (inner === undefined) return undefined;
    return namesIn(field(inner, 'class_label') === undefined ? inner : { dtype: inner });
  }
  if (typeof names !== 'object' || names === null) return undefined;
  const listed = Array.isArray(names) ? (names as unknown[]) : inOrder(names as Record<string, unknown>);
  return listed?.every((name) => typeof name === 'string') ? listed : undefined;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function inOrder(names: Record<string, unknown>): unknown[] | undefined {
  const ids = Object.keys(names);
  return ids.every((_, id) => Object.hasOwn(names, String(id))) ? ids.map((_, id) => names[String(id)]) : undefined;
}
