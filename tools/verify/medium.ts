// What loading DialoGPT-medium's 863 MB into NF4 takes on this machine's cores, and its 4-bit form; writes
// docs/verify/medium.json.
// usage: node --conditions=@qlora-js/source --import tsx tools/verify/medium.ts [SEED]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderFiles, resolveModel, writeFolder } from '@qlora-js/hub/node';
import { quantizeCheckpoint } from '@qlora-js/quant';
import { type LoadMeasurement, writeDialogptMedium } from './dialogpt-medium';

const seed = Number(process.argv[2] ?? 0);
const folder = mkdtempSync(join(tmpdir(), 'qlora-medium-'));
const [dense, quantised] = [join(folder, 'dense'), join(folder, 'quantised')];
try {
  mkdirSync(dense);
  const bytes = await writeDialogptMedium(dense, seed);
  console.log(`${bytes} bytes written`);
  await writeFolder(quantised, await quantizeCheckpoint(await folderFiles(dense)));
  const quantisedBytes = (await (await resolveModel(quantised)).open('model.safetensors')).size;
  const runs = {
    dense: measure(dense, 'float32'),
    denseHalfEmbedding: measure(dense, 'float16'),
    quantised: measure(quantised, 'float32'),
  };
  const document = {
    madeBy: 'tools/verify/medium.ts',
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cores: cpus().length,
    seed,
    bytes,
    quantisedBytes,
    ...runs,
  };
  mkdirSync('docs/verify', { recursive: true });
  writeFileSync('docs/verify/medium.json', `${JSON.stringify(document, null, 2)}\n`);
  console.log(document);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** In a process of its own, so that memory is that of one load. */
function measure(path: string, embeddingDtype: string): LoadMeasurement {
  const options = [
    '--conditions=@qlora-js/source',
    '--import',
    'tsx',
    'tools/verify/load-model.ts',
    path,
    embeddingDtype,
  ];
  const { stdout, stderr, status } = spawnSync(process.execPath, options, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`loading ${path} failed: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as LoadMeasurement;
}
