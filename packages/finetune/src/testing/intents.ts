import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Output } from '../run/output';

/** Three intents that words tell apart, in the layout of Banking77. */
export async function writeIntents(folder: string): Promise<void> {
  const phrases: Record<string, string[]> = {
    card_lost: [
      'my card is lost',
      'i lost the card',
      'card was stolen',
      'somebody stole my card',
      'cannot find my card',
    ],
    exchange_rate: [
      'what is the exchange rate',
      'rate for dollars',
      'how many euros for a pound',
      'exchange rate of yen',
      'currency rate today',
    ],
    change_pin: [
      'change my pin',
      'i want a new pin',
      'pin must be changed',
      'set another pin code',
      'how to change the pin',
    ],
  };
  const rows = (endings: string[]): string =>
    [
      'text,category',
      ...Object.entries(phrases).flatMap(([label, texts]) =>
        texts.flatMap((text) => endings.map((ending) => `"${text}${ending}",${label}`)),
      ),
    ].join('\n');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'categories.json'), JSON.stringify(Object.keys(phrases)));
  await writeFile(join(folder, 'train.csv'), rows(['', ' please', ', thanks']));
  await writeFile(join(folder, 'test.csv'), rows([' now']));
}

/** An output that remembers. */
export interface Captured extends Output {
  /** Everything that was said, sections with `== ` before them. */
  readonly lines: string[];
}

/** Remembers what a run says. */
export function capture(): Captured {
  const lines: string[] = [];
  const keep = (text = ''): void => void lines.push(text);
  return {
    lines,
    section: (title) => keep(`== ${title}`),
    line: keep,
    warn: (text) => keep(`warning: ${text}`),
    bar: () => ({ update: () => undefined, stop: () => undefined }),
    note: () => undefined,
  };
}
