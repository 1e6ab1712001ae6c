/**
 * `compute`, run once for each first argument that it is given, by its JSON; the others follow from that one. The backends
 * under test so share what they are held to.
 */
export function once<Given, Rest extends unknown[], Result>(
  compute: (given: Given, ...rest: Rest) => Result,
): (given: Given, ...rest: Rest) => Result {
  const results = new Map<string, Result>();
  return (given, ...rest) => {
    const key = JSON.stringify(given);
    let result = results.get(key);
    if (result === undefined) results.set(key, (result = compute(given, ...rest)));
    return result;
  };
}
