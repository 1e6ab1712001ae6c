// What a bundler keeps of an entry, and of one function of it, minified and gzipped, against tools/packages/budgets.json.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './workspace.mjs';

const budgets = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), 'budgets.json'), 'utf8'));

/** Gzipped bytes of a module of this text, packages other than ours left out. */
async function sizeOf(text) {
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: root, loader: 'js' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    external: ['@tensorflow/*', 'webgpu'],
    logLevel: 'silent',
  });
  return gzipSync(outputFiles[0].contents).length;
}

export async function checkBudgets({ packages, report }) {
  // A command runs where it is installed, and nobody bundles it.
  for (const { name, manifest } of packages.filter(({ manifest }) => manifest.bin === undefined))
    report(`${name} budget`, manifest.name in budgets ? '' : 'there is none for what a bundler keeps of it');
  for (const [what, most] of Object.entries(budgets)) {
    const [names, entry] = what.includes(' from ') ? what.split(' from ') : [undefined, what];
    const text =
      names === undefined
        ? `export * from '${entry}';`
        : names === 'nothing'
          ? `import '${entry}';`
          : `export { ${names} } from '${entry}';`;
    const size = await sizeOf(text).catch((error) => error);
    if (typeof size !== 'number') report(`size of ${what}`, size.message);
    else report(`size of ${what}`, size <= most ? '' : `${size} bytes gzipped, the budget is ${most}`);
  }
}
