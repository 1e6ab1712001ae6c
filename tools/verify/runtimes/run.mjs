// Runs every README's examples, out of tarballs, on JavaScript runtimes; writes the results to a file. names/runtimes.ts says more.
// usage: node tools/verify/runtimes/run.mjs RESULT RUNTIMES      RUNTIMES: JSON, the words before a file by the runtime's name
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consumer, exampleFiles, examples, installLine } from '../../packages/installs.mjs';
import { pack, packages, run, tail } from '../../packages/workspace.mjs';

const [resultFile, runtimes] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'qlora-runtimes-'));
try {
  const readmes = packages().map(({ name, path }) => [name, readFileSync(join(path, 'README.md'), 'utf8')]);
  const install = [...new Set(readmes.flatMap(([, readme]) => installLine(readme)))];
  const tarballs = pack(packages(), join(folder, 'tarballs'));
  const made = consumer({ folder, name: 'consumer', tarballs, install });
  if (!made.ok) throw new Error(made.text);
  const results = {};
  for (const [runtime, words] of Object.entries(JSON.parse(runtimes))) {
    results[runtime] = {};
    for (const [name, readme] of readmes) {
      for (const [index, files] of examples(readme).entries()) {
        // A folder each: examples write where they run.
        const inside = join(made.path, runtime.replace(/\W/g, '-'), `${name}-${index + 1}`);
        mkdirSync(inside, { recursive: true });
        const written = exampleFiles(files);
        for (const [file, text] of written) writeFileSync(join(inside, file), text);
        const ran = run(words[0], [...words.slice(1), written.at(-1)[0]], { cwd: inside, timeout: 600_000 });
        const passed = ran.ok && ran.text !== '';
        results[runtime][`${name} ${index + 1}`] = passed ? '' : tail(ran.text, 12) || 'prints nothing';
        console.log(`${runtime}: ${name} ${index + 1} ${passed ? 'ok' : 'FAILED'}`);
        writeFileSync(resultFile, JSON.stringify(results));
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
