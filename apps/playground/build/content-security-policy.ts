import { type Plugin } from 'vite';

/** The hub that models come from and the hosts that it sends downloads to. QLORA_PLAYGROUND_HUB names another one. */
const HUB = ['https://huggingface.co', 'https://*.huggingface.co', 'https://*.hf.co'];

/**
 * What the page may load and whom it may ask: its own origin and the hub alone. Workers are started from Blobs
 * (src/worker/policed-worker.ts), since one that comes from an address of its own would not be held by a page's policy.
 */
export function policy(hub: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${hub.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Puts the policy into the built page, before anything that it is for. */
export function contentSecurityPolicy(): Plugin {
  const hub = process.env['QLORA_PLAYGROUND_HUB'];
  return {
    name: 'content-security-policy',
    apply: 'build',
    config: () => ({ define: { 'import.meta.env.QLORA_PLAYGROUND_HUB': JSON.stringify(hub ?? HUB[0]) } }),
    transformIndexHtml: (html) =>
      html.replace(
        '<meta charset="utf-8" />',
        `$&\n    <meta http-equiv="Content-Security-Policy" content="${policy(hub === undefined ? HUB : [hub])}" />`,
      ),
  };
}
