/**
 * The first key that an object of a JSON document repeats, or undefined. JSON.parse keeps the last of them in silence,
 * so that two readers of one file may see different tensors; safetensors forbids it. `text` is valid JSON.
 */
export function duplicateKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(new Set());
    else if (char === '}' || char === ']') open.pop();
    else if (char === '"') {
      const start = at;
      at = stringEnd(text, at);
      if (!isKey(text, at + 1)) continue;
      const key = JSON.parse(text.slice(start, at + 1)) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

/** Index of the quote that closes the string opened at `at`. */
function stringEnd(text: string, at: number): number {
  for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
  return at;
}

function isKey(text: string, at: number): boolean {
  while (' \n\r\t'.includes(text[at] ?? 'x')) at++;
  return text[at] === ':';
}
