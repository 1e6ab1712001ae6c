/** Text that is HTML already. */
export class Html {
  constructor(
    /** The HTML. */
    readonly text: string,
  ) {}
}

/** What may stand in a template. */
export type Part = Html | string | number | null | undefined | false | readonly Part[];

/** HTML by a template: every value is escaped that is not `Html` itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, i) => (i === 0 ? text : textOf(parts[i - 1]) + text)).join(''));
}

/** HTML as it is: of charts, which escape their texts themselves. */
export function raw(text: string): Html {
  return new Html(text);
}

function textOf(part: Part): string {
  if (part instanceof Html) return part.text;
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'object') return part.map(textOf).join('');
  return escaped(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that no HTML can come out of; characters that XML and HTML know no place for are shown as a replacement. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!).replaceAll(CONTROLS, '\uFFFD');
}

const CONTROLS = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F\uFFFE\uFFFF]/g;
