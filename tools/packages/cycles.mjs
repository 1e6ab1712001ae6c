// No module of a package imports itself by way of others. Types count: a cycle of types is one of rooms.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import typescript from 'typescript';
import { root } from './workspace.mjs';

export function checkCycles({ packages, report }) {
  for (const { name, path } of packages) {
    const cycles = cyclesOf(importsOf(join(path, 'src')));
    const shown = cycles.map((cycle) => cycle.map((file) => relative(root, file)).join(' -> '));
    report(`${name} import cycles`, shown.join('\n  '));
  }
}

function importsOf(folder) {
  const files = readdirSync(folder, { recursive: true })
    .map((file) => join(folder, file))
    .filter((file) => file.endsWith('.ts') && !/\.(test|bench)\.ts$/.test(file) && !file.includes('/.readme-'));
  const known = new Set(files);
  const resolve = (from, specifier) =>
    [`${join(dirname(from), specifier)}.ts`, join(dirname(from), specifier, 'index.ts')].find((file) =>
      known.has(file),
    );
  return new Map(
    files.map((file) => {
      const { importedFiles } = typescript.preProcessFile(readFileSync(file, 'utf8'));
      const local = importedFiles.map(({ fileName }) => fileName).filter((specifier) => specifier.startsWith('.'));
      return [file, local.map((specifier) => resolve(file, specifier)).filter((found) => found !== undefined)];
    }),
  );
}

/** Tarjan's strongly connected components of more than one file, each as a path round one of its cycles. */
function cyclesOf(graph) {
  const [index, low, stack, onStack, cycles] = [new Map(), new Map(), [], new Set(), []];
  const visit = (file) => {
    index.set(file, index.size);
    low.set(file, index.get(file));
    stack.push(file);
    onStack.add(file);
    for (const next of graph.get(file)) {
      if (!index.has(next)) {
        visit(next);
        low.set(file, Math.min(low.get(file), low.get(next)));
      } else if (onStack.has(next)) low.set(file, Math.min(low.get(file), index.get(next)));
    }
    if (low.get(file) !== index.get(file)) return;
    const component = stack.splice(stack.indexOf(file));
    component.forEach((each) => onStack.delete(each));
    if (component.length > 1 || graph.get(file).includes(file)) cycles.push(component);
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return cycles;
}
