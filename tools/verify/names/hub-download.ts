import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveModel } from '@qlora-js/hub/node';
import { serveFolder } from '../../hub-server/serve.mjs';
import type { Verification } from '../verification';

const MEGABYTE = 2 ** 20;
const [bytes, bytesPerSecondOfAConnection, rangeBytes] = [48 * MEGABYTE, 4 * MEGABYTE, 4 * MEGABYTE];

/** A file fetched by one, two and four connections from a server that throttles each. */
export default {
  summary: 'four connections fetch a file at least twice as fast as one, where the server throttles each',
  run: async ({ log }) => {
    const folder = mkdtempSync(join(tmpdir(), 'qlora-download-'));
    const models = join(folder, 'models');
    mkdirSync(models);
    writeFileSync(join(models, 'config.json'), '{}');
    writeFileSync(
      join(models, 'model.safetensors'),
      Uint8Array.from({ length: bytes }, (_, i) => i % 251),
    );
    const server = await serveFolder(models, { throttle: bytesPerSecondOfAConnection });
    const secondsByConnections: Record<string, number> = {};
    try {
      for (const connections of [1, 2, 4]) {
        const cacheDir = join(folder, `cache-${connections}`);
        const options = { endpoint: server.url, cacheDir, token: '', connections, rangeBytes };
        const files = await resolveModel('org/model', options);
        const started = performance.now();
        await files.open('model.safetensors');
        const seconds = (performance.now() - started) / 1000;
        secondsByConnections[connections] = seconds;
        log(`${connections} connections: ${seconds.toFixed(2)} s`);
      }
    } finally {
      await server.close();
      rmSync(folder, { recursive: true });
    }
    const ratioOf4To1 = secondsByConnections['1']! / secondsByConnections['4']!;
    log(`4 connections are ${ratioOf4To1.toFixed(2)} times as fast as one`);
    const held = ratioOf4To1 > 2;
    const figures = { bytes, bytesPerSecondOfAConnection, rangeBytes, secondsByConnections, ratioOf4To1 };
    return { passed: Number(held), failed: Number(!held), versions: {}, figures };
  },
} satisfies Verification;
