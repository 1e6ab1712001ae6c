// How much faster several connections fetch a file than one, where the server throttles each. Writes
// docs/verify/hub-download.json.
// usage: node --conditions=@qlora-js/source --import tsx tools/verify/hub-download.ts
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveModel } from '@qlora-js/hub/node';
import { serveFolder } from '../hub-server/serve.mjs';

const MEGABYTE = 2 ** 20;
const [size, throttle, rangeBytes] = [48 * MEGABYTE, 4 * MEGABYTE, 4 * MEGABYTE];
const folder = mkdtempSync(join(tmpdir(), 'qlora-download-'));
mkdirSync(join(folder, 'models'));
writeFileSync(join(folder, 'models/config.json'), '{}');
writeFileSync(
  join(folder, 'models/model.safetensors'),
  Uint8Array.from({ length: size }, (_, i) => i % 251),
);
const server = await serveFolder(join(folder, 'models'), { throttle });
const seconds: Record<string, number> = {};
for (const connections of [1, 2, 4]) {
  const cacheDir = join(folder, `cache-${connections}`);
  const files = await resolveModel('org/model', { endpoint: server.url, cacheDir, token: '', connections, rangeBytes });
  const started = performance.now();
  await files.open('model.safetensors');
  seconds[connections] = (performance.now() - started) / 1000;
  console.log(`${connections} connections: ${seconds[connections].toFixed(2)} s`);
}
await server.close();
rmSync(folder, { recursive: true });
const ratio = seconds['1']! / seconds['4']!;
const document = {
  madeBy: 'tools/verify/hub-download.ts',
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  bytes: size,
  bytesPerSecondOfAConnection: throttle,
  rangeBytes,
  secondsByConnections: seconds,
  ratioOf4To1: ratio,
};
mkdirSync('docs/verify', { recursive: true });
writeFileSync('docs/verify/hub-download.json', `${JSON.stringify(document, null, 2)}\n`);
console.log(`4 connections are ${ratio.toFixed(2)} times as fast as one`);
process.exit(ratio > 2 ? 0 : 1);
