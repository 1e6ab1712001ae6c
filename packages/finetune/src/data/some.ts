/** Entries that a warning names; the rest is counted. */
const SHOWN = 5;

/** The first of a list in words. */
export function someOf(entries: readonly string[]): string {
  const more = entries.length > SHOWN ? `; and ${entries.length - SHOWN} more` : '';
  return entries.slice(0, SHOWN).join('; ') + more;
}
