// Builds a small page with bundlers and fetches what it needs; writes the results to a file. names/bundlers.ts says more.
// usage: node tools/verify/bundlers/run.mjs RESULT VERSIONS      VERSIONS: JSON
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consumer } from '../../packages/installs.mjs';
import { pack, packages, run, tail } from '../../packages/workspace.mjs';

const [resultFile, versions] = process.argv.slice(2);
const VERSIONS = JSON.parse(versions);
const PAGE = `
import { openDevice } from '@qlora-js/kernels';
import { baseMiniFiles } from '@qlora-js/base-mini';
import { loadGpt2ForSequenceClassification } from '@qlora-js/gpt2';
import { getPeftModel, loraConfig } from '@qlora-js/lora';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';
const device = await openDevice({ backend: 'wasm', wasmPaths: '/' });
const files = await baseMiniFiles();
const { model } = await loadGpt2ForSequenceClassification(files, { numLabels: 2 });
const peft = getPeftModel(model, loraConfig({ r: 4, taskType: 'SEQ_CLS' }));
document.title = (await GPT2Tokenizer.load(files)).encode('hello').join() + peft.trainableParametersLine() + device.info.backend;
`;
const HTML = '<!doctype html><script type="module" src="/page.js"></script>';

const folder = mkdtempSync(join(tmpdir(), 'qlora-bundlers-'));
const results = {};
try {
  const tarballs = pack(packages(), join(folder, 'tarballs'));
  const install = ['kernels', 'base-mini', 'gpt2', 'lora', 'tokenize-gpt2'].map((name) => `@qlora-js/${name}`);
  const made = consumer({ folder, name: 'page', tarballs, install, more: { dependencies: VERSIONS } });
  if (!made.ok) throw new Error(made.text);
  const { path } = made;
  writeFileSync(join(path, 'page.js'), PAGE);
  writeFileSync(join(path, 'index.html'), HTML);
  const bin = (name) => join(path, 'node_modules/.bin', name);
  const weights = readFileSync(join(path, 'node_modules/@qlora-js/base-mini/weights/model.safetensors'));
  /** The weights among the files of a build, by their bytes. */
  const carried = (output) =>
    readdirSync(join(path, output), { recursive: true })
      .map((file) => join(path, output, file))
      .some((file) => statSync(file).size === weights.length && readFileSync(file).equals(weights));

  // npm leaves esbuild's install script out; the binary lies in a package of its own.
  const built = run(
    bin('esbuild'),
    ['page.js', '--bundle', '--format=esm', '--platform=browser', '--outdir=out-esbuild'],
    { cwd: path },
  );
  // esbuild knows no new URL(..., import.meta.url): the package's folder is served as it is.
  results.esbuild = built.ok
    ? { passed: true, weights: 'served by the page itself' }
    : { passed: false, problem: tail(built.text, 20) };

  writeFileSync(
    join(path, 'webpack.config.cjs'),
    "module.exports = { mode: 'production', entry: './page.js', output: { path: __dirname + '/out-webpack' }, experiments: { topLevelAwait: true }, performance: { hints: false } };",
  );
  const packed = run(bin('webpack'), [], { cwd: path });
  results.webpack =
    packed.ok && carried('out-webpack') ? { passed: true } : { passed: false, problem: tail(packed.text, 20) };

  writeFileSync(
    join(path, 'vite.config.js'),
    "export default { optimizeDeps: { exclude: ['@qlora-js/base-mini'] }, build: { target: 'es2022', outDir: 'out-vite', assetsInlineLimit: 0 } };",
  );
  const viteBuilt = run(bin('vite'), ['build'], { cwd: path });
  results['vite build'] =
    viteBuilt.ok && carried('out-vite') ? { passed: true } : { passed: false, problem: tail(viteBuilt.text, 20) };

  results['vite dev'] = await viteDev(path, bin('vite'), weights);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
writeFileSync(resultFile, JSON.stringify(results));

/** Asks vite's dev server for the page's modules and for the weights by the address that the served module builds. */
async function viteDev(path, vite, weights) {
  const server = spawn(vite, ['--host', '127.0.0.1', '--port', '0', '--strictPort', 'false'], { cwd: path });
  try {
    const origin = await new Promise((resolve, reject) => {
      let text = '';
      server.stdout.on('data', (chunk) => {
        text += chunk;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text.replace(/\u001b\[\d+m/g, ''));
        if (found) resolve(found[0]);
      });
      server.on('exit', () => reject(new Error(`vite ended: ${text}`)));
    });
    const page = await (await fetch(`${origin}/page.js`)).text();
    const modules = [...page.matchAll(/from "([^"]+)"/g)].map(([, address]) => address);
    for (const address of modules) {
      const answer = await fetch(new URL(address, origin));
      if (!answer.ok || !/javascript/.test(answer.headers.get('content-type') ?? ''))
        return { passed: false, problem: `${address}: ${answer.status}` };
    }
    const base = modules.find((address) => address.includes('base-mini'));
    const text = await (await fetch(new URL(base, origin))).text();
    const address = /new URL\(\s*["'`]([^"'`]*model\.safetensors[^"'`]*)/.exec(text)?.[1];
    if (address === undefined) return { passed: false, problem: `no address of the weights in ${base}` };
    const file = await fetch(new URL(address, new URL(base, origin)));
    const bytes = Buffer.from(await file.arrayBuffer());
    return bytes.equals(weights)
      ? { passed: true }
      : { passed: false, problem: `${file.url} has ${bytes.length} bytes of ${file.headers.get('content-type')}` };
  } catch (error) {
    return { passed: false, problem: error.message };
  } finally {
    server.kill();
  }
}
