import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

/** Labels of the texts, of which row number n has number n modulo their count. */
export const LABELS = ['card', 'transfer', 'pin', 'refund', 'rate'];

const OPENINGS = ['Where is', 'Please tell me about', 'I can not find', 'Why did you change', 'Who has'];
const THINGS = ['my new card', 'the transfer to Ann', 'my PIN', 'the refund of Monday', 'the exchange rate'];

/** Writes so many texts as JSON Lines. */
export async function writeTexts(path: string, count: number): Promise<void> {
  const file = createWriteStream(path);
  for (let row = 0; row < count; row++) {
    const opening = OPENINGS[(row * 7) % OPENINGS.length];
    const text = `${opening} ${THINGS[row % THINGS.length]}, case ${row}, of account ${(row * 7919) % 99_991}?`;
    if (!file.write(`${JSON.stringify({ text, label: LABELS[row % LABELS.length] })}\n`)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}
