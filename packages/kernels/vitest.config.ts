import { fileURLToPath } from 'node:url';
import { packageTests } from '../../tools/test/vitest';

export default packageTests(import.meta.url, {
  globalSetup: fileURLToPath(new URL('../../tools/errors/table.mjs', import.meta.url)),
});
