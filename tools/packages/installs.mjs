// Tarballs installed into empty folders: every README's examples run with the packages that its install line names, and
// every entry is imported as ESM and required as CommonJS.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { entriesOf, isRequirable, run, tail } from './workspace.mjs';

/** Packages that the first `npm install` of a README names. */
export function installLine(readme) {
  const line = /```sh\n(npm install (?:[^\n]*\\\n)*[^\n]*)\n/.exec(readme)?.[1];
  return line?.replace(/\\\n/g, ' ').split(/\s+/).slice(2) ?? [];
}

/** The first `ts` block, and each group of named `js` blocks under one heading. */
export function examples(readme) {
  const found = [];
  const first = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (first !== undefined) found.push([['example.ts', first]]);
  for (const section of readme.split(/^## /m)) {
    const files = [...section.matchAll(/```js\n(\/\/ (\S+\.js)[\s\S]*?)```/g)].map(([, text, name]) => [name, text]);
    if (files.length > 0) found.push(files);
  }
  return found;
}

const packageOf = (specifier) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** A folder with the named packages installed, ours from their tarballs whoever asks for them. */
export function consumer({ folder, name, tarballs, install, more = {} }) {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  const ours = Object.fromEntries(Object.entries(tarballs).map(([full, file]) => [full, `file:${file}`]));
  const dependencies = Object.fromEntries(install.map((each) => [each, ours[each] ?? '*']));
  const overrides = { ...ours, ...(more.overrides ?? {}) };
  writeFileSync(
    join(path, 'package.json'),
    JSON.stringify({
      private: true,
      type: 'module',
      dependencies: { ...dependencies, ...more.dependencies },
      overrides,
    }),
  );
  const flags = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
  return { path, ...run('npm', flags, { cwd: path }) };
}

export function checkInstalls({ packages, tarballs, folder, report }) {
  for (const item of packages) {
    const { name, path, manifest } = item;
    const readme = readFileSync(join(path, 'README.md'), 'utf8');
    const install = installLine(readme);
    report(`${name} README`, install.includes(manifest.name) ? '' : 'has no install line with the package itself');
    const blocks = examples(readme);
    const commands = Object.keys(manifest.bin ?? {});
    report(`${name} README example`, blocks.length + commands.length > 0 ? '' : 'there is none');
    const imported = blocks
      .flat()
      .flatMap(([, text]) => [...text.matchAll(/(?:from|import\() ?'([^'.][^']*)'/g)].map(([, specifier]) => specifier))
      .filter((specifier) => !specifier.startsWith('node:') && !builtinModules.includes(specifier))
      .map(packageOf);
    const missing = [...new Set(imported)].filter((each) => !install.includes(each));
    report(
      `${name} install line`,
      missing.length === 0 ? '' : `does not name ${missing.join(', ')}, which an example imports`,
    );

    // Entries for those who have an optional peer are imported with it; what is made for a native add-on is not.
    const peers = Object.keys(manifest.peerDependencies ?? {}).filter((peer) => /^@qlora-js\/|tfjs-core$/.test(peer));
    const made = consumer({ folder, name: `install-${name}`, tarballs, install: [...new Set([...install, ...peers])] });
    report(`${name} installs`, made.ok ? '' : tail(made.text));
    if (!made.ok) continue;
    for (const entry of entriesOf(item)) {
      const imports = `const m = await import('${entry}'); if (Object.keys(m).length === 0) throw new Error('exports nothing');`;
      const esm = run(process.execPath, ['--input-type=module', '-e', imports], { cwd: made.path });
      report(`${entry} as ESM`, esm.ok ? '' : tail(esm.text));
      if (!isRequirable(item)) continue;
      const requires = `const m = require('${entry}'); if (Object.keys(m).length === 0) throw new Error('exports nothing');`;
      const cjs = run(process.execPath, ['--input-type=commonjs', '-e', requires], { cwd: made.path });
      report(`${entry} as CommonJS`, cjs.ok ? '' : tail(cjs.text));
    }
    for (const command of commands) {
      const ran = run(join(made.path, 'node_modules/.bin', command), ['--help'], { cwd: made.path });
      report(`${name} ${command} --help`, ran.ok && ran.text !== '' ? '' : tail(ran.text) || 'prints nothing');
    }
    for (const [index, files] of blocks.entries()) {
      const inside = join(made.path, `example-${index}`);
      mkdirSync(inside);
      const written = exampleFiles(files);
      for (const [file, text] of written) writeFileSync(join(inside, file), text);
      const ran = run(process.execPath, [written.at(-1)[0]], { cwd: inside, timeout: 600_000 });
      report(`${name} example ${index + 1}`, ran.ok && ran.text !== '' ? '' : tail(ran.text) || 'prints nothing');
    }
  }
}

/** An example's files as JavaScript, by name: Node 20 runs no types. */
export function exampleFiles(files) {
  return files.map(([file, text]) => [file.replace(/\.ts$/, '.mjs'), file.endsWith('.ts') ? transpile(text) : text]);
}

const { default: typescript } = await import('typescript');
function transpile(text) {
  const { ModuleKind, ScriptTarget } = typescript;
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true };
  return typescript.transpileModule(text, { compilerOptions }).outputText;
}
