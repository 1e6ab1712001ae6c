import type { ShaderText } from './shader-text';

const results = new WeakMap<ShaderText, Map<string, unknown>>();
const numbers = new WeakMap<ShaderText, number>();
let count = 0;

/** What is made of the same texts is made once: a step joins the same shaders in every layer. */
export function remembered<Result>(texts: readonly ShaderText[], what: string, make: () => Result): Result {
  const key = `${what} ${texts.map(numberOf).join(' ')}`;
  const known = results.get(texts[0]!) ?? new Map<string, unknown>();
  results.set(texts[0]!, known);
  if (!known.has(key)) known.set(key, make());
  return known.get(key) as Result;
}

function numberOf(text: ShaderText): number {
  let number = numbers.get(text);
  if (number === undefined) numbers.set(text, (number = count++));
  return number;
}
