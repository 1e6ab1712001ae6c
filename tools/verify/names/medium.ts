import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderFiles, resolveModel, writeFolder } from '@qlora-js/hub/node';
import { quantizeCheckpoint } from '@qlora-js/quant';
import { capture } from '../commands';
import { type LoadMeasurement, writeDialogptMedium } from '../medium/dialogpt-medium';
import type { Verification } from '../verification';

/** What a load may take above Node's own memory: the embedding in float32, in float16, and the weights stored in 4 bits. */
const MOST_MEGABYTES = { dense: 430, denseHalfEmbedding: 350, quantised: 430 };

/**
 * DialoGPT-medium's 863 MB, random from a seed, loaded into NF4 on wasm, and stored in 4 bits and loaded again, each in a
 * process of its own, so that its memory is that of one load. Argument: SEED.
 */
export default {
  summary: "loading DialoGPT-medium's 863 MB into NF4 and storing them in 4 bits: time, memory, bytes",
  run: async ({ root, args, log }) => {
    const seed = Number(args[0] ?? 0);
    const folder = mkdtempSync(join(tmpdir(), 'qlora-medium-'));
    const [dense, quantised] = [join(folder, 'dense'), join(folder, 'quantised')];
    const measure = (path: string, embeddingDtype: 'float32' | 'float16'): LoadMeasurement => {
      const script = join(root, 'tools/verify/medium/load-model.ts');
      const printed = capture(process.execPath, [...process.execArgv, script, path, embeddingDtype]);
      return JSON.parse(printed.split('\n').at(-1)!) as LoadMeasurement;
    };
    try {
      mkdirSync(dense);
      const bytes = await writeDialogptMedium(dense, seed);
      log(`${bytes} bytes written`);
      await writeFolder(quantised, await quantizeCheckpoint(await folderFiles(dense)));
      const quantisedBytes = (await (await resolveModel(quantised)).open('model.safetensors')).size;
      const loads = {
        dense: measure(dense, 'float32'),
        denseHalfEmbedding: measure(dense, 'float16'),
        quantised: measure(quantised, 'float32'),
      };
      let failed = 0;
      for (const [name, most] of Object.entries(MOST_MEGABYTES)) {
        const { seconds, peakMegabytes } = loads[name as keyof typeof loads];
        log(`${name}: ${seconds.toFixed(1)} s, ${peakMegabytes.toFixed(0)} MB of ${most}`);
        if (!(peakMegabytes <= most)) failed++;
      }
      const figures = { seed, bytes, quantisedBytes, mostMegabytes: MOST_MEGABYTES, ...loads };
      return { passed: Object.keys(loads).length - failed, failed, versions: {}, figures };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
} satisfies Verification;
