import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const GUIDE = readFileSync(path('../../../docs/guide.md'), 'utf8');

/** The text of the guide's blocks of a language. */
const blocks = (language: string): string[] =>
  [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map((match) => match[1]!);

let folder: string;
let server: ChildProcess | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'guide-'));
  for (const name of ['feedback.csv', 'tags.jsonl', 'ratings.parquet'])
    cpSync(path(`../../../docs/guide/${name}`), join(folder, name));
  const [yaml] = blocks('yaml');
  writeFileSync(join(folder, 'run.yaml'), yaml!);
  // `npx qlora` runs the sources.
  const words = [process.execPath, '--conditions=@qlora-js/source', '--import', path('../../../tools/typescript.mjs')];
  const npx = join(folder, 'npx');
  writeFileSync(npx, `#!/bin/sh\nshift\nexec '${[...words, path('./main.ts')].join("' '")}' "$@"\n`);
  chmodSync(npx, 0o755);
});
afterAll(() => {
  server?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` });

function run(command: string): string {
  return execFileSync('/bin/sh', ['-c', command], { cwd: folder, env: environment(), encoding: 'utf8' });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

/** Starts a service and resolves once it listens. */
async function serve(command: string): Promise<void> {
  server = spawn('/bin/sh', ['-c', `exec ${command}`], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', 'pipe', 2],
  });
  for await (const line of createInterface({ input: server.stdout! })) if (line.startsWith('serving ')) return;
  throw new Error(`${command} ended`);
}

it('runs every command of the guide, one after the other', async () => {
  const port = String(await freePort());
  const commands = blocks('sh').flatMap((block) => block.trim().split('\n'));
  const said: Record<string, string> = {};
  for (const command of commands) {
    if (command === 'npm install @qlora-js/cli') continue;
    const own = command.replaceAll('8000', port);
    if (command.startsWith('npx qlora serve')) await serve(own);
    else said[command] = run(own);
  }
  const of = (start: string): string => said[Object.keys(said).find((command) => command.startsWith(start))!]!;
  expect(of('npx qlora train --data')).toMatch(/^test_accuracy [01]\.\d{4}/m);
  expect(of('npx qlora predict --adapter my-adapter --top-k 2').trim().split('\n')).toHaveLength(2);
  const lines = of('npx qlora predict --adapter my-adapter --input').trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)[3]).toMatch(/^Support answered/);
  expect(lines).toHaveLength(108);
  expect(of('npx qlora evaluate --adapter my-adapter')).toMatch(/^accuracy [01]\.\d{4} \(/m);
  expect(of('npx qlora predict --adapter tagger')).toMatch(/^(\(none\)|\w+ \(\d+\.\d %\).*)\tmy card is blocked/);
  expect(of('npx qlora predict --adapter rater')).toMatch(/^-?\d+\.\d+\tThe app was/);
  expect(of('npx qlora evaluate --adapter rater')).toMatch(/^mse \d+\.\d{4} \(/m);
  expect(of('npx qlora train --task causal-lm')).toMatch(/^perplexity of the base alone \d+\.\d{4}$/m);
  expect(of('npx qlora generate').trim()).not.toBe('');
  expect(of('npx qlora report')).toMatch(/^smaller {2}accuracy .* difference of accuracy /m);
  expect(JSON.parse(of('curl --silent --fail http'))).toEqual({
    default: ['complaint', 'praise', 'question'],
    smaller: ['complaint', 'praise', 'question'],
  });
  const answer = JSON.parse(of('curl --silent --fail -H')) as { predictions: { labels: unknown[] }[] };
  expect(answer.predictions[0]!.labels).toHaveLength(2);
  expect(of('npx qlora merge')).toMatch(/^dense merge {2}accuracy .* predictions changed$/m);
  for (const made of [
    ...['my-adapter/report.html', 'compared/comparison.html', 'searched/best-parameters.json', 'searched/report.html'],
    ...['merged/model.safetensors', 'exported/adapter_config.json', 'adapter.gguf', 'merged-in-4-bits/config.json'],
  ])
    expect([made, existsSync(join(folder, made))]).toEqual([made, true]);
  expect(existsSync(join(folder, 'exported', 'run.jsonl'))).toBe(false);
  server!.kill('SIGTERM');
  expect(await once(server!, 'exit')).toEqual([0, null]);
  server = undefined;
}, 900_000);
