import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const ROOT = fileURLToPath(new URL('../../../apps/playground', import.meta.url));

/** The built page, served on this machine alone. */
export interface Site {
  readonly address: string;
  close(): Promise<void>;
}

/** Builds apps/playground, its budget and policy with it, and serves it. */
export async function serveSite(outDir: string): Promise<Site> {
  await build({ root: ROOT, logLevel: 'error', build: { outDir, emptyOutDir: true } });
  const server = await preview({
    root: ROOT,
    logLevel: 'error',
    build: { outDir },
    preview: { host: '127.0.0.1', port: 0, strictPort: false },
  });
  const [address] = server.resolvedUrls?.local ?? [];
  if (address === undefined) throw new Error('the preview of apps/playground has no address');
  return { address, close: () => server.close() };
}
