/** A declaration of a module. */
export interface Declaration {
  readonly kind: 'storage' | 'uniform' | 'workgroup' | 'other';
  readonly name: string;
  readonly text: string;
  /** Of storage and uniform buffers in group 0. */
  readonly binding: number;
}

/** A compute shader's text taken apart. */
export interface ShaderText {
  /** enable, requires and diagnostic. */
  readonly directives: readonly string[];
  readonly declarations: readonly Declaration[];
  readonly main: {
    readonly threads: number;
    /** Names by builtin. */
    readonly parameters: readonly (readonly [builtin: string, name: string, type: string])[];
    /** With its braces. */
    readonly body: string;
  };
}

const MAIN = /^@compute\s+@workgroup_size\(\s*(\d+)\s*\)\s*fn\s+main\s*\(([\s\S]*?)\)\s*(\{[\s\S]*)$/;
const PARAMETER = /@builtin\(\s*(\w+)\s*\)\s*(\w+)\s*:\s*([\w<>]+)/g;
const DIRECTIVE = /^(enable|requires|diagnostic)\b/;

/** Takes WGSL with one entry point `main` and one dimension of threads apart; undefined for another. */
export function parseShader(code: string): ShaderText | undefined {
  const directives: string[] = [];
  const declarations: Declaration[] = [];
  let main: ShaderText['main'] | undefined;
  for (const text of topLevel(code.replaceAll(/\/\/[^\n]*/g, ''))) {
    const entry = MAIN.exec(text);
    if (entry !== null) {
      const [, threads, parameters = '', body = ''] = entry;
      const named = [...parameters.matchAll(PARAMETER)].map(
        ([, builtin, name, type]) => [builtin!, name!, type!] as const,
      );
      main = { threads: Number(threads), parameters: named, body };
    } else if (DIRECTIVE.test(text)) {
      directives.push(text);
    } else {
      const declaration = declarationOf(text);
      if (declaration === undefined) return undefined;
      declarations.push(declaration);
    }
  }
  return main === undefined ? undefined : { directives, declarations, main };
}

/** The text of the module. */
export function printShader({ directives, declarations, main }: ShaderText): string {
  const parameters = main.parameters.map(([builtin, name, type]) => `@builtin(${builtin}) ${name}: ${type}`);
  return [
    ...directives,
    ...declarations.map(({ text }) => text),
    `@compute @workgroup_size(${main.threads})\nfn main(${parameters.join(', ')}) ${main.body}`,
  ].join('\n');
}

/** Replaces names of the module's scope; fields of structs, before a colon or behind a dot, are not among them. */
export function renameIn(text: string, names: ReadonlyMap<string, string>): string {
  const isStruct = /^struct\b/.test(text);
  return text.replaceAll(
    /(\.\s*)?\b([A-Za-z_]\w*)\b(\s*:)?/g,
    (whole, dot: string | undefined, name: string, colon = '') => {
      if (dot !== undefined || (isStruct && colon !== '')) return whole;
      return `${names.get(name) ?? name}${colon as string}`;
    },
  );
}

/** Names that a text uses. */
export const namesIn = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/(\.\s*)?\b([A-Za-z_]\w*)\b/g)].flatMap(([, dot, name]) => (dot === undefined ? [name!] : [])),
  );

function declarationOf(text: string): Declaration | undefined {
  const variable = /\bvar\s*<\s*(storage|uniform|workgroup)\b[^>]*>\s*(\w+)/.exec(text);
  if (variable !== null && !/^(fn|struct)\b/.test(text)) {
    const [, kind, name] = variable;
    const binding = Number(/@binding\(\s*(\d+)/.exec(text)?.[1] ?? -1);
    return { kind: kind as 'storage', name: name!, text, binding };
  }
  const name = /^(?:fn|struct|alias|const)\s+(\w+)/.exec(text)?.[1];
  return name === undefined ? undefined : { kind: 'other', name, text, binding: -1 };
}

/** The module's directives and declarations, one by one. */
function* topLevel(code: string): Generator<string> {
  let depth = 0;
  let start = 0;
  for (let at = 0; at < code.length; at++) {
    const letter = code[at];
    if (letter === '{') depth++;
    if (letter === '}') depth--;
    if (depth > 0 || (letter !== ';' && letter !== '}')) continue;
    const text = code.slice(start, at + 1).trim();
    if (text !== ';') yield text;
    start = at + 1;
  }
}

const ELEMENT_BYTES: Readonly<Record<string, number>> = { vec4u: 16, vec4f: 16, vec2f: 8, vec2u: 8 };

/** Bytes of workgroup memory that a module's variables take. */
export function declaredWorkgroupBytes({ declarations }: Pick<ShaderText, 'declarations'>): number {
  return declarations
    .filter(({ kind }) => kind === 'workgroup')
    .reduce((sum, { text }) => {
      const [, element = '', length = '1'] = /:\s*array<\s*([\w<>]+?)\s*,\s*(\d+)\s*>\s*;$/.exec(text) ?? [];
      return sum + (ELEMENT_BYTES[element] ?? 4) * Number(length);
    }, 0);
}
