import base from './vitest.config';
const config = base as any;
config.test.setupFiles = [...config.test.setupFiles, '/tmp/hook/setup.ts'];
config.test.outputFile = { json: '/tmp/hook/out-b.json' };
config.test.testTimeout = 900_000;
config.test.hookTimeout = 900_000;
config.server = { fs: { strict: false } };
export default config;
