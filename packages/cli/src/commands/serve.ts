import { serve as listen } from '@hono/node-server';
import type { Output } from '@qlora-js/finetune';
import { loadTextClassifier } from '@qlora-js/finetune/node';
import { UsageError } from '../errors';
import { ADAPTER_OPTIONS } from '../options/predict-options';
import type { OptionTable, OptionValues } from '../options/spec';
import { TERMINAL_OPTIONS } from '../options/train-options';
import { createService } from '../serve/app';
import { hubOptions } from './train';

const { adapter: _, ...REST } = ADAPTER_OPTIONS;
const SERVING = 'Serving:';
const LIMITS = 'Limits:';

/** Options of `serve`. */
export const SERVE_OPTIONS = {
  adapters: {
    kind: 'list',
    default: ['./qlora-adapter'],
    group: 'Adapter:',
    basic: true,
    help: 'folders that trainings saved, as NAME=FOLDER where there are several',
  },
  ...REST,
  host: {
    kind: 'text',
    placeholder: 'address',
    default: '127.0.0.1',
    group: SERVING,
    basic: true,
    help: 'address to listen on; 0.0.0.0 lets other machines in',
  },
  port: {
    kind: 'number',
    integer: true,
    min: 0,
    default: 8000,
    group: SERVING,
    basic: true,
    help: 'port to listen on; 0 takes a free one',
  },
  allowedHosts: {
    kind: 'list',
    default: undefined,
    group: SERVING,
    help: 'further names that requests may be addressed to',
  },
  maxBatch: {
    kind: 'number',
    integer: true,
    min: 1,
    default: 64,
    group: LIMITS,
    help: 'texts of one pass through the model',
  },
  maxQueue: {
    kind: 'number',
    integer: true,
    min: 1,
    default: 512,
    group: LIMITS,
    help: 'texts that may wait; what does not fit is answered 429',
  },
  maxTexts: { kind: 'number', integer: true, min: 1, default: 64, group: LIMITS, help: 'texts of one request' },
  maxCharacters: {
    kind: 'number',
    integer: true,
    min: 1,
    default: 20_000,
    group: LIMITS,
    help: 'characters of one text',
  },
  maxBody: { kind: 'number', integer: true, min: 1, default: 1_000_000, group: LIMITS, help: 'bytes of one request' },
  timeoutSeconds: { kind: 'number', min: 0.001, default: 30, group: LIMITS, help: 'seconds that a request may wait' },
  quiet: TERMINAL_OPTIONS.quiet,
} as const satisfies OptionTable;

/** What `serve` is told. */
export type ServeValues = OptionValues<typeof SERVE_OPTIONS>;

/** Serves adapters until a signal comes; then requests under way are finished. */
export async function serve(values: ServeValues, output: Output): Promise<void> {
  const folders = adapterFolders(values.adapters);
  const classifier = await loadTextClassifier(folders, {
    base: values.base,
    backend: values.backend,
    threads: values.threads,
    hub: hubOptions(values),
    output,
  });
  const service = createService({
    ...values,
    labeller: classifier,
    adapters: Object.fromEntries(classifier.adapterNames.map((name) => [name, classifier.labels(name)])),
    allowedHosts: ['127.0.0.1', 'localhost', '[::1]', values.host.toLowerCase(), ...(values.allowedHosts ?? [])],
  });
  const server = listen({ fetch: service.app.fetch, hostname: values.host, port: values.port });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve);
      server.once('error', reject);
    });
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : values.port;
    output.line(
      `serving ${classifier.adapterNames.join(', ')} on http://${values.host}:${port} (POST /predict, /openapi.json)`,
    );
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    output.line(`stopping: ${service.pending()} texts are finished first`);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await service.close();
    if ('closeIdleConnections' in server) server.closeIdleConnections();
    await closed;
  } finally {
    classifier.dispose();
  }
}

function adapterFolders(words: readonly string[]): Record<string, string> {
  if (words.length === 1 && !words[0]!.includes('=')) return { default: words[0]! };
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
      throw new UsageError(
        'USAGE',
        `--adapters: ${JSON.stringify(word)} has no name; write NAME=FOLDER for each of several`,
      );
    }),
  );
}
