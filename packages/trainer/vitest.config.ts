import { fileURLToPath } from 'node:url';
import { packageTests } from '../../tools/test/vitest';

export default packageTests(import.meta.url, {
  workerThreads: true,
  globalSetup: fileURLToPath(new URL('../../tools/test/bundle-tiny-replica.mjs', import.meta.url)),
});
