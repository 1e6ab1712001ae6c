import { type SeededRandom } from '../random';
import { slotFillers } from './slots';

/** One query of a phrasing: an alternative of each `[one|another]`, then a filler for each `{slot}`. */
export function speak(phrasing: string, random: SeededRandom): string {
  const chosen = phrasing.replace(/\[([^\]]*)\]/g, (_, alternatives: string) => random.pick(alternatives.split('|')));
  const filled = chosen.replace(/\{(\w+)\}/g, (_, slot: string) => random.pick(slotFillers(slot)));
  return capitalised(filled.replace(/\s+/g, ' ').trim());
}

export function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
