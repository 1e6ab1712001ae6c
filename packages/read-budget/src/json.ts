import { type DocumentBudget } from './budget';
import { shown } from './shown';

/** What to do where an object has a key twice: JSON.parse keeps the last in silence, so two readers may differ. */
export type DuplicateKeys = 'keep-last' | 'refuse';

export interface JsonOptions {
  /** `keep-last` by default, as JSON.parse has it. */
  readonly duplicateKeys?: DuplicateKeys;
  /** The part of the document that the text is, as errors call it, such as `its header`. */
  readonly part?: string;
}

/** serde_json's recursion limit, which the Rust libraries that read these files have, too. */
const DEEPEST = 128;

/** Steps and bytes that JSON.parse takes at most for each part of a text (measured on V8 of Node 20). */
const COSTS = {
  object: [10, 64],
  array: [5, 56],
  key: [5, 48],
  value: [1, 16],
  string: [1, 24],
} as const;

/**
 * Parses JSON after one pass over the text that builds nothing: it books what the values will cost, and refuses text
 * that nests deeper than 128 or, where asked to, an object with a key twice. Throws what the budget's `refuse` makes.
 */
export function parseJson(text: string, budget: DocumentBudget, options: JsonOptions = {}): unknown {
  const malformed = (problem: string, value: unknown): Error => {
    const { place, refuse } = budget;
    const subject = options.part === undefined ? place : `${place}: ${options.part}`;
    return refuse({ code: 'MALFORMED_JSON', message: `${subject} ${problem}`, place, value });
  };
  survey(text, { budget, malformed, refuseDuplicates: options.duplicateKeys === 'refuse' });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the document, which may be anything.
    throw malformed(`is not JSON (it starts ${shown(text.slice(0, 40))}): is the file complete?`, undefined);
  }
}

interface Survey {
  readonly budget: DocumentBudget;
  readonly malformed: (problem: string, value: unknown) => Error;
  readonly refuseDuplicates: boolean;
}

function survey(text: string, { budget, malformed, refuseDuplicates }: Survey): void {
  const keysOfOpen: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
      case 0x5b: // [
        if (text[at] === '{') budget.spend(...COSTS.object);
        else budget.spend(...COSTS.array);
        if (keysOfOpen.length === DEEPEST) {
          throw malformed(`nests deeper than ${DEEPEST} at character ${at}, refused.`, at);
        }
        keysOfOpen.push(undefined);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        keysOfOpen.pop();
        break;
      case 0x2c: // ,
        budget.spend(...COSTS.value);
        break;
      case 0x22: {
        const end = stringEnd(text, at);
        budget.spend(COSTS.string[0], COSTS.string[1] + end - at);
        if (isKey(text, end + 1)) {
          budget.spend(...COSTS.key);
          const repeated = refuseDuplicates ? repeatedKey(text.slice(at, end + 1), keysOfOpen) : undefined;
          if (repeated !== undefined) {
            throw malformed(`has the key ${shown(repeated)} twice in one object, refused.`, repeated);
          }
        }
        at = end;
      }
    }
  }
}

/** Index of the quote that closes the string opened at `at`; the end of the text where none does. */
function stringEnd(text: string, at: number): number {
  for (at++; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) break;
    if (code === 0x5c) at++;
  }
  return at;
}

function isKey(text: string, at: number): boolean {
  while (' \n\r\t'.includes(text[at] ?? 'x')) at++;
  return text[at] === ':';
}

/** Notes a key, as written in the text, of the innermost open object; the key itself where it is there already. */
function repeatedKey(literal: string, keysOfOpen: (Set<string> | undefined)[]): string | undefined {
  let key: string;
  try {
    key = JSON.parse(literal) as string;
  } catch {
    // Not a string: the parser will say so.
    return undefined;
  }
  if (keysOfOpen.length === 0) return undefined;
  const keys = (keysOfOpen[keysOfOpen.length - 1] ??= new Set());
  if (keys.has(key)) return key;
  keys.add(key);
  return undefined;
}
