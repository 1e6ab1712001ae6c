import { readFileSync } from 'node:fs';

/** GPT-2's own vocabulary, as the embedded base has it. */
export function baseFiles(): { vocab: string; merges: string; tokenizerConfig: string } {
  const read = (name: string): string =>
    readFileSync(new URL(`../../../base-mini/weights/${name}`, import.meta.url), 'utf8');
  return { vocab: read('vocab.json'), merges: read('merges.txt'), tokenizerConfig: read('tokenizer_config.json') };
}
