import { namesIn, renameIn, type Declaration, type ShaderText } from './shader-text';

/** Declarations of several modules in one, and what each calls its own there. */
export interface Linked {
  readonly directives: readonly string[];
  readonly declarations: readonly Declaration[];
  /** By module: new names by old ones. */
  readonly names: readonly ReadonlyMap<string, string>[];
  /** By module: new bindings by old ones. */
  readonly bindings: readonly ReadonlyMap<number, number>[];
}

/**
 * Puts modules side by side: what is said alike is said once, names that are taken get a number behind them, and buffers
 * are bound one module's after the other's.
 */
export function linkModules(modules: readonly Pick<ShaderText, 'directives' | 'declarations'>[]): Linked {
  const directives = new Set<string>();
  const declarations: Declaration[] = [];
  const allNames: Map<string, string>[] = [];
  const allBindings: Map<number, number>[] = [];
  let bound = 0;
  for (const module of modules) {
    for (const directive of module.directives) directives.add(directive);
    const alike = saidAlready(module.declarations, declarations);
    const names = new Map<string, string>();
    const bindings = new Map<number, number>();
    const added: Declaration[] = [];
    for (const declaration of module.declarations) {
      const { kind, name, text, binding } = declaration;
      if (alike.has(name)) continue;
      if (declarations.some((other) => other.name === name))
        names.set(name, unused(name, [...declarations, ...added, ...module.declarations]));
      if (binding >= 0) bindings.set(binding, bound++);
      added.push({ kind, name: names.get(name) ?? name, text, binding: bindings.get(binding) ?? -1 });
    }
    declarations.push(
      ...added.map((declaration) => ({
        ...declaration,
        text: renameIn(declaration.text, names).replace(/@binding\(\s*\d+\s*\)/, `@binding(${declaration.binding})`),
      })),
    );
    allNames.push(names);
    allBindings.push(bindings);
  }
  return { directives: [...directives], declarations, names: allNames, bindings: allBindings };
}

/** The name, with the first number behind it that makes it one of its own. */
function unused(name: string, declarations: readonly Declaration[]): string {
  for (let number = 1; ; number++) {
    const candidate = `${name}_${number}`;
    if (declarations.every((declaration) => declaration.name !== candidate)) return candidate;
  }
}

/** Names of functions, types and constants that are there with the same text, and speak of nothing that differs. */
function saidAlready(declarations: readonly Declaration[], there: readonly Declaration[]): Set<string> {
  const known = new Map(there.map(({ name, text }) => [name, text]));
  const own = new Set(declarations.map(({ name }) => name));
  const alike = new Map(
    declarations.filter(({ kind, name, text }) => kind === 'other' && known.get(name) === text).map((d) => [d.name, d]),
  );
  for (let before = -1; before !== alike.size;) {
    before = alike.size;
    for (const [name, { text }] of alike) {
      if ([...namesIn(text)].some((used) => own.has(used) && !alike.has(used))) alike.delete(name);
    }
  }
  return new Set(alike.keys());
}
