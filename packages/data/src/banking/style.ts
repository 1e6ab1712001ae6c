import { type SeededRandom } from '../random';
import { type Split } from './intent';
import { capitalised } from './phrasing';

/** How people of one family begin and end, and how carelessly they type; rates are a share of the queries. */
interface Manner {
  openers: readonly string[];
  closers: readonly string[];
  openerRate: number;
  closerRate: number;
  typoRate: number;
}

const manners: Readonly<Record<Split, Manner>> = {
  train: {
    openers: ['Hi,', 'Hello,', 'Hey,', 'Please help:', 'Hi there,'],
    closers: ['Thanks', 'Thank you', 'Please help', 'Please'],
    openerRate: 0.2,
    closerRate: 0.12,
    typoRate: 0.1,
  },
  validation: {
    openers: ['Good evening,', 'Dear team,', 'Hello again,'],
    closers: ['Many thanks', 'Regards'],
    openerRate: 0.2,
    closerRate: 0.12,
    typoRate: 0.12,
  },
  test: {
    openers: ['Good morning,', 'Sorry to bother you,', 'Quick question:', 'Excuse me,', 'So,', 'Um,'],
    closers: ['Cheers', 'Any idea', 'Can you help', 'Much appreciated', 'Ta'],
    openerRate: 0.2,
    closerRate: 0.15,
    typoRate: 0.15,
  },
};

const lowerCaseRate = 0.15;
const noEndMarkRate = 0.3;

/** A query as somebody types it into a chat: with or without a greeting, thanks, end mark, capitals, and a slip. */
export function typed(query: string, split: Split, random: SeededRandom): string {
  const { openers, closers, openerRate, closerRate, typoRate } = manners[split];
  let text = /[.?!]$/.test(query) ? query : `${query}.`;
  if (random.random() < openerRate) text = `${random.pick(openers)} ${uncapitalised(text)}`;
  if (random.random() < closerRate) text = `${text} ${random.pick(closers)}.`;
  if (random.random() < typoRate) text = withTypo(text, random);
  if (random.random() < noEndMarkRate) text = text.replace(/[.?!]$/, '');
  return random.random() < lowerCaseRate ? text.toLowerCase() : capitalised(text);
}

/** Lower case after a greeting, but not for "I", names and abbreviations. */
function uncapitalised(text: string): string {
  const first = /^[A-Za-z']+/.exec(text)?.[0] ?? '';
  const keeps = /^I('|$)/.test(first) || /^[A-Z]{2}/.test(first) || names.has(first);
  return keeps ? text : text.slice(0, 1).toLowerCase() + text.slice(1);
}

const names = new Set(['Anna', 'Tom', 'Maria', 'Ben', 'Priya', 'Sofia', 'Kwame']);

/** Two neighbouring letters swapped, one left out, or one doubled, inside a word of five letters or more. */
function withTypo(text: string, random: SeededRandom): string {
  const words = [...text.matchAll(/\b[a-z]{5,}\b/g)];
  if (words.length === 0) return text;
  const word = random.pick(words);
  const at = word.index + 1 + random.below(word[0].length - 2);
  const [letter, next] = [text.charAt(at), text.charAt(at + 1)];
  const slip = random.pick([next + letter, next, letter + letter + next]);
  return text.slice(0, at) + slip + text.slice(at + 2);
}
