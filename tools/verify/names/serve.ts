import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generateBankingIntents } from '@qlora-js/data/banking';
import { execute } from '../commands';
import { installNpm } from '../install';
import type { Verification } from '../verification';

const VERSIONS = { autocannon: '9.0.0' };
/** Connections that find the capacity, as many as may wait: each asks again as soon as it is answered. */
const CONNECTIONS = 120;
/** Connections under overload: enough that those whose requests wait do not slow down what is asked. */
const OVERLOAD_CONNECTIONS = 4 * CONNECTIONS;
/** What is asked for under overload, as a multiple of the capacity; a little over 2, since connections do not keep to it exactly. */
const OVERLOAD = 2.2;
const SECONDS = 20;
const BODY = JSON.stringify({ texts: ['why has my card not arrived yet?'], top_k: 3 });

/** What autocannon prints with --json, as far as it is read here. */
interface LoadResult {
  readonly '2xx': number;
  readonly errors: number;
  readonly timeouts: number;
  readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
  readonly requests: { readonly average: number; readonly sent: number; readonly total: number };
  readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
}

/**
 * Asks `qlora serve` for all that it can do, and then for more than twice as much: every request has to be answered, with labels or with
 * 429 and Retry-After.
 */
export default {
  summary: 'qlora serve at twice its capacity answers every request, with labels or with 429 and Retry-After',
  run: async ({ root, cache, log }) => {
    const npm = installNpm(cache, VERSIONS);
    const adapter = join(cache, 'adapter');
    rmSync(adapter, { recursive: true, force: true });
    const rows = generateBankingIntents({ seed: 0 }).train.toRows();
    const csv = join(cache, 'queries.csv');
    writeFileSync(
      csv,
      `text,label\n${rows.map(({ text, label }) => `"${text.replaceAll('"', '""')}",${label}`).join('\n')}\n`,
    );
    const command = [...process.execArgv, join(root, 'packages/cli/src/main.ts')];
    const train = [
      'train',
      '--data',
      csv,
      '--output-dir',
      adapter,
      '--backend',
      'wasm',
      '--max-steps',
      '1',
      '--eval-steps',
      '1',
    ];
    execute(process.execPath, [...command, ...train, '--no-report', '--quiet'], { cwd: root });

    const threads = String(Math.min(2, availableParallelism()));
    const limits = ['--max-queue', String(CONNECTIONS), '--timeout-seconds', '20'];
    const words = ['serve', '--adapters', adapter, '--backend', 'wasm', '--threads', threads, '--port', '0', ...limits];
    const server = spawn(process.execPath, [...command, ...words], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const url = await address(server);
      const load = (...options: string[]): Promise<LoadResult> => autocannon(npm, url, options);
      await load('--connections', '4', '--duration', '3');
      const capacity = await load('--connections', String(CONNECTIONS), '--duration', String(SECONDS));
      const rate = capacity['2xx'] / SECONDS;
      log(`capacity: ${rate.toFixed(0)} requests/s, p99 ${capacity.latency.p99} ms`);
      const asked = [
        '--connections',
        String(OVERLOAD_CONNECTIONS),
        '--overallRate',
        String(Math.ceil(OVERLOAD * rate)),
      ];
      const overload = load(...asked, '--duration', String(SECONDS));
      const refusal = await firstRefusal(url);
      const { '2xx': answered, errors, timeouts, statusCodeStats, latency, requests } = await overload;
      const refused = statusCodeStats['429']?.count ?? 0;
      log(
        `more than twice as much: ${(requests.total / SECONDS).toFixed(0)} requests/s, ${answered} answered, ${refused} refused, p99 ${latency.p99} ms`,
      );
      const ready = await fetch(`${url}/ready`);
      server.kill('SIGTERM');
      const [code] = (await once(server, 'exit')) as [number | null];
      const checks: Record<string, boolean> = {
        'more than twice the capacity is asked for': requests.total / SECONDS >= 2 * rate,
        'at capacity nothing is refused': capacity['2xx'] === capacity.requests.total && capacity.errors === 0,
        'under overload no request is left without an answer': errors === 0 && timeouts === 0,
        'under overload every answer is 200 or 429': answered + refused === requests.total,
        'under overload some are refused': refused > 0,
        'under overload work goes on at half the capacity or more': answered / SECONDS >= rate / 2,
        'a refusal says when to come again': refusal !== undefined && Number(refusal) >= 1,
        'afterwards it is ready': ready.status === 200,
        'a signal ends it in good order': code === 0,
      };
      for (const [name, holds] of Object.entries(checks)) log(`${name}: ${holds ? 'yes' : 'NO'}`);
      const passed = Object.values(checks).filter(Boolean).length;
      const shown = ({ latency: own, requests: { total } }: LoadResult): object => ({ total, latencyMs: own });
      return {
        passed,
        failed: Object.keys(checks).length - passed,
        versions: VERSIONS,
        figures: {
          ...{ seconds: SECONDS, threads: Number(threads), requestsPerSecond: rate, checks },
          capacity: shown(capacity),
          overload: { ...shown({ latency, requests } as LoadResult), answered, refused },
        },
      };
    } finally {
      server.kill('SIGKILL');
    }
  },
} satisfies Verification;

/** Where the service listens. */
async function address(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout! })) {
    const [, url] = /^serving .* on (http:\/\/[\d.]+:\d+) /.exec(line) ?? [];
    if (url !== undefined) {
      server.stdout!.resume();
      return url;
    }
  }
  throw new Error('the service ended before it listened');
}

/** Retry-After of the first refusal, asked for beside the load. */
async function firstRefusal(url: string): Promise<string | undefined> {
  const until = performance.now() + 1000 * (SECONDS - 2);
  while (performance.now() < until) {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}/predict`, { method: 'POST', body: BODY, headers });
    await answer.text();
    if (answer.status === 429) return answer.headers.get('Retry-After') ?? undefined;
  }
  return undefined;
}

async function autocannon(npm: string, url: string, options: readonly string[]): Promise<LoadResult> {
  const words = [
    '--method',
    'POST',
    '--body',
    BODY,
    '--headers',
    'Content-Type=application/json',
    '--json',
    '--no-progress',
  ];
  const program = join(npm, 'node_modules/autocannon/autocannon.js');
  const child = spawn(process.execPath, [program, ...words, ...options, `${url}/predict`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await once(child, 'close');
  return JSON.parse(printed) as LoadResult;
}
