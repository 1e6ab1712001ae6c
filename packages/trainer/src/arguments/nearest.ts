import leven from 'leven';

/** The known name that takes the fewest single letters changed, added or left out; undefined where all are far off. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  // Python's spelling of a name is that name.
  const plain = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    const distance = leven(plain.toLowerCase(), candidate.toLowerCase());
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  return best !== undefined && best.distance <= Math.max(2, name.length / 3) ? best.candidate : undefined;
}
