import { type SeededRandom } from '../random';
import { capitalised } from './phrasing';

const openers = ['Hi,', 'Hello,', 'Hey,', 'Good morning,', 'Please help:', 'Quick question:', 'Excuse me,', 'So,'];
const closers = ['Thanks', 'Thank you', 'Please help', 'Cheers', 'Many thanks', 'Any idea'];

/** Shares of the queries that have each mark of haste or manners. */
const rates = { opener: 0.15, closer: 0.08, slip: 0.06, noEndMark: 0.1, lowerCase: 0.05 };

/** A query as somebody types it into a chat: with or without a greeting, thanks, end mark, capitals, and a slip. */
export function typed(query: string, random: SeededRandom): string {
  let text = /[.?!]$/.test(query) ? query : `${query}.`;
  if (random.random() < rates.opener) text = `${random.pick(openers)} ${uncapitalised(text)}`;
  if (random.random() < rates.closer) text = `${text} ${random.pick(closers)}.`;
  if (random.random() < rates.slip) text = withSlip(text, random);
  if (random.random() < rates.noEndMark) text = text.replace(/[.?!]$/, '');
  return random.random() < rates.lowerCase ? text.toLowerCase() : capitalised(text);
}

/** Lower case after a greeting, but not for "I", names and abbreviations. */
function uncapitalised(text: string): string {
  const first = /^[A-Za-z']+/.exec(text)?.[0] ?? '';
  const keeps = /^I('|$)/.test(first) || /^[A-Z]{2}/.test(first) || names.has(first);
  return keeps ? text : text.slice(0, 1).toLowerCase() + text.slice(1);
}

const names = new Set(['Anna', 'Tom', 'Maria', 'Ben', 'Priya', 'Sofia', 'Kwame']);

/** Two neighbouring letters swapped, one left out, or one doubled, inside a word of five letters or more. */
function withSlip(text: string, random: SeededRandom): string {
  const words = [...text.matchAll(/\b[a-z]{5,}\b/g)];
  if (words.length === 0) return text;
  const word = random.pick(words);
  const at = word.index + 1 + random.below(word[0].length - 2);
  const [letter, next] = [text.charAt(at), text.charAt(at + 1)];
  const slip = random.pick([next + letter, next, letter + letter + next]);
  return text.slice(0, at) + slip + text.slice(at + 2);
}
