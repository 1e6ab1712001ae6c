import { readFileSync } from 'node:fs';
import { besideFixtures } from '../../../../tools/test/fixtures';

/** GPT-2's own vocabulary, as the small base beside the golden values has it. */
export function baseFiles(): { vocab: string; merges: string; tokenizerConfig: string } {
  const folder = besideFixtures('mini');
  if (folder === undefined) throw new Error('The small base is missing beside the golden fixtures');
  const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8');
  return { vocab: read('vocab.json'), merges: read('merges.txt'), tokenizerConfig: read('tokenizer_config.json') };
}
