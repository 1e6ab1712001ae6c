import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { finalRunName, qloraRunConfig } from '@qlora-js/tracking';
import { folderArtifact, trackRun } from '@qlora-js/tracking/node';
import { type SeenRequest } from '../../../packages/tracking/src/testing/loopback';
import { WandbStandIn } from '../../../packages/tracking/src/testing/wandb-stand-in';
import { capture } from '../commands';
import { installPython } from '../install';
import type { Verification } from '../verification';

const VERSIONS = ['wandb', 'mlflow', 'tensorboard'];
const KEY = 'a1b2c3d4'.repeat(5);

/** What the parts of the comparison share. */
interface Comparison {
  /** A Python that has the packages. */
  readonly program: string;
  /** What runs them: tools/python/tracker_peer.py. */
  readonly peer: string;
  /** An empty folder. */
  readonly folder: string;
  /** An adapter's. */
  readonly artifactFolder: string;
  readonly check: (name: string, found: unknown, expected: unknown) => void;
}

/** Runs of one content, by our trackers and by those of the Python packages, read back and compared. */
export default {
  summary: "W&B's, MLflow's and TensorBoard's Python packages against packages/tracking, request by request",
  run: async ({ root, cache, log }) => {
    const requirements = join(root, 'tools/python/requirements-trackers.txt');
    const program = installPython(cache, requirements);
    const checks: Record<string, boolean> = {};
    const check: Comparison['check'] = (name, found, expected) => {
      const passed = isDeepStrictEqual(found, expected);
      checks[name] = passed;
      log(`${passed ? 'ok  ' : 'FAIL'} ${name}`);
      if (!passed) log(`  found    ${JSON.stringify(found)}\n  expected ${JSON.stringify(expected)}`);
    };
    const folder = await mkdtemp(join(tmpdir(), 'verify-trackers-'));
    const artifactFolder = join(folder, 'adapter');
    const comparison = { program, peer: join(root, 'tools/python/tracker_peer.py'), folder, artifactFolder, check };
    try {
      await mkdir(artifactFolder);
      await writeFile(join(artifactFolder, 'adapter_config.json'), '{"r":16}');
      await writeFile(join(artifactFolder, 'adapter_model.safetensors'), 'x'.repeat(100));
      await wandb(comparison);
      await tensorboard(comparison);
      await mlflow(comparison);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const lines = readFileSync(requirements, 'utf8')
      .split('\n')
      .map((line) => line.split('=='));
    const versions = Object.fromEntries(
      lines.filter((words): words is [string, string] => VERSIONS.includes(words[0]!)),
    );
    const failed = Object.values(checks).filter((passed) => !passed).length;
    return { passed: Object.keys(checks).length - failed, failed, versions, figures: { checks } };
  },
} satisfies Verification;

/** Runs a program without stopping this process, whose servers the program talks to. */
async function runBeside(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}`);
}

const spec = {
  name: finalRunName('nf4'),
  id: 'abc12345',
  project: 'banking77',
  group: 'search-1',
  jobType: 'final',
  tags: ['nf4', 'qlora'],
  config: qloraRunConfig({
    model: 'base-mini',
    quantType: 'nf4',
    doubleQuant: true,
    computeDtype: 'float32',
    phase: 'final_training',
    maxLength: 128,
  }),
  rows: [
    [50, { loss: 4.25, learning_rate: 1e-4, epoch: 0.5 }],
    [50, { eval_loss: 3.5, eval_f1: 0.25 }],
    [100, { loss: NaN, grad_norm: Infinity }],
    [60, { loss: 1 }],
    [150, { loss: 2.5 }],
  ] as [number, Record<string, number>][],
  summary: { test_accuracy: 0.875 },
  artifact: 'adapter-abc12345',
};

async function logRun(
  folder: string,
  reportTo: string[],
  env: Record<string, string>,
  artifactFolder: string,
): Promise<void> {
  const { rows, summary, artifact, ...description } = spec;
  const lines: string[] = [];
  const tracking = await trackRun({ folder, run: description, reportTo, env, report: (line) => lines.push(line) });
  for (const [step, metrics] of rows) tracking.log(metrics, step);
  tracking.histogram('lora_A', [0, 1, 1, 4], 150);
  tracking.summary(summary);
  tracking.artifact({
    name: artifact,
    type: 'model',
    ...(await folderArtifact({ folder: artifactFolder, runFolder: folder })),
  });
  const outcomes = await tracking.finish('finished');
  if (!outcomes.every(({ complete }) => complete)) throw new Error(lines.join('\n'));
}

async function wandb({ program, peer, folder, artifactFolder, check }: Comparison): Promise<void> {
  const [theirs, ours] = [await WandbStandIn.start(), await WandbStandIn.start()];
  const env = (server: WandbStandIn) => ({
    WANDB_BASE_URL: server.server.base,
    WANDB_API_KEY: KEY,
    WANDB_SILENT: 'true',
  });
  // JSON has no NaN: numbers go as texts, which Python's float() reads.
  const rows = spec.rows.map(([step, metrics]) => [
    step,
    Object.fromEntries(
      Object.entries(metrics).map(([name, value]) => [name, String(value).replace('Infinity', 'inf')]),
    ),
  ]);
  await mkdir(join(folder, 'python'));
  await runBeside(
    program,
    [peer, 'wandb', join(folder, 'python'), JSON.stringify({ ...spec, rows, artifactFolder })],
    env(theirs),
  );
  await logRun(join(folder, 'ours'), ['wandb'], env(ours), artifactFolder);
  const [their, our] = [theirs, ours].map((server) => stateOf(server)) as [State, State];
  for (const key of Object.keys(their) as (keyof State)[]) check(`wandb: ${key}`, our[key], their[key]);
  const [theirRequests, ourRequests] = [theirs, ours].map((server) => requestsOf(server.server.requests)) as [
    Requests,
    Requests,
  ];
  for (const operation of OPERATIONS) {
    const [a, b] = [ourRequests.get(operation) ?? [], theirRequests.get(operation) ?? []];
    check(`wandb: requests of ${operation}`, a, b);
  }
  const authorization = (server: WandbStandIn, ofStorage: boolean): (string | undefined)[] => {
    const seen = server.server.requests.filter(
      ({ url }) => url.startsWith('/storage/') === ofStorage && !url.startsWith('/sdk/'),
    );
    return [...new Set(seen.map(({ headers }) => headers.authorization))];
  };
  check('wandb: the key on the API', authorization(ours, false), authorization(theirs, false));
  check('wandb: no key on storages', authorization(ours, true), [undefined]);
  await Promise.all([theirs.server.close(), ours.server.close()]);
}

type State = ReturnType<typeof stateOf>;

/** What a server has after the run, without the clock and what the clients say of themselves. */
function stateOf(server: WandbStandIn) {
  const { config, history: _history, summary: _summary, ...run } = server.runs.get(spec.id)!;
  const { _wandb: _ours, ...settings } = config;
  const withoutClock = (row: Record<string, unknown>): unknown =>
    Object.fromEntries(
      Object.entries(row).filter(([name]) => !['_timestamp', '_runtime', '_wandb', 'lora_A'].includes(name)),
    );
  const stored = [...server.stored].filter(([name]) => name.startsWith('artifact/'));
  const manifest = JSON.parse(server.stored.get('manifest')!.toString()) as {
    contents: Record<string, { digest: string; size: number }>;
  };
  return {
    run,
    config: settings,
    rows: server.rows(spec.id).map(withoutClock),
    summary: withoutClock(server.summary(spec.id)),
    artifacts: server.artifacts,
    files: Object.fromEntries(stored.map(([name, bytes]) => [name, bytes.toString()])),
    manifest: Object.entries(manifest.contents).map(([name, { digest, size }]) => [name, digest, size]),
    runFiles: [...server.stored.keys()].filter((name) => !/^artifact\/|manifest/.test(name)).sort(),
  };
}

const OPERATIONS = [
  'UpsertBucket',
  'CreateArtifact',
  'CreateArtifactManifest',
  'CreateArtifactFiles',
  'CommitArtifact',
  'CreateRunFiles',
];

type Requests = Map<string, unknown[]>;

/**
 * Variables of each operation, field by field. Left out: the config, compared as the server's; what a client says of its machine; ids
 * of its own making; digests of a manifest, which hold the Python client's temporary paths; upserts after the first, which repeat it.
 */
function requestsOf(requests: readonly SeenRequest[]): Requests {
  const found: Requests = new Map();
  for (const { url, body } of requests) {
    if (url !== '/graphql') continue;
    const { operationName, variables } = JSON.parse(body.toString()) as {
      operationName: string;
      variables: Record<string, unknown>;
    };
    const list = found.get(operationName) ?? [];
    if (operationName === 'UpsertBucket' && list.length > 0) continue;
    const { config: _config, host: _host, program: _program, digest, ...rest } = variables ?? {};
    const input = rest['input'] as Record<string, unknown> | undefined;
    if (input !== undefined) rest['input'] = { ...input, clientID: undefined, sequenceClientID: undefined };
    list.push({
      ...rest,
      names: Object.keys(variables ?? {}).sort(),
      hasDigest: typeof digest === 'string' && digest !== '',
    });
    found.set(operationName, list);
  }
  return found;
}

async function mlflow({ program, peer, folder, artifactFolder, check }: Comparison): Promise<void> {
  const port = await freePort();
  const uri = `http://127.0.0.1:${port}`;
  const store = `sqlite:///${join(folder, 'mlflow.db')}`;
  const args = ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', `${port}`, '--backend-store-uri', store];
  const server = spawn(program, [...args, '--artifacts-destination', join(folder, 'artifacts'), '--serve-artifacts'], {
    stdio: 'ignore',
    detached: true,
  });
  try {
    for (let tries = 0; ; tries++) {
      const up = await fetch(`${uri}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (up) break;
      if (tries > 240) throw new Error('mlflow server did not start');
      await wait(500);
    }
    await logRun(join(folder, 'mlflow'), ['mlflow'], { MLFLOW_TRACKING_URI: uri }, artifactFolder);
    const runs = lastLine(capture(program, [peer, 'mlflow', uri, spec.project])) as Record<
      string,
      Record<string, unknown>
    >[];
    const [child, parent] = ['name', spec.group].map((_, i) =>
      runs.find((each) => (each['name'] as unknown) === (i === 0 ? spec.name : spec.group)),
    );
    check(
      'mlflow: runs',
      runs.map((each) => [each['name'], each['status']]).sort(),
      [
        [spec.name, 'FINISHED'],
        [spec.group, 'FINISHED'],
      ].sort(),
    );
    check('mlflow: nested', child!['tags']!['mlflow.parentRunId'], parent!['id']);
    check(
      'mlflow: tags',
      [...spec.tags, 'job_type'].map((tag) => child!['tags']![tag]),
      ['true', 'true', 'final'],
    );
    // Python's own client would write True.
    check(
      'mlflow: params',
      child!['params'],
      Object.fromEntries(Object.entries(spec.config).map(([key, value]) => [key, String(value)])),
    );
    check('mlflow: metrics', child!['history'], {
      loss: [
        [50, '4.25'],
        [60, '1.0'],
        [100, 'nan'],
        [150, '2.5'],
      ],
      learning_rate: [[50, '0.0001']],
      epoch: [[50, '0.5']],
      eval_loss: [[50, '3.5']],
      eval_f1: [[50, '0.25']],
      // sqlite holds an infinity as the largest double (mlflow/store/tracking/sqlalchemy_store.py).
      grad_norm: [[100, '1.7976931348623157e+308']],
      test_accuracy: [[0, '0.875']],
    });
    check('mlflow: artifacts', child!['files'], {
      [`${spec.artifact}/adapter_config.json`]: '{"r":16}',
      [`${spec.artifact}/adapter_model.safetensors`]: 'x'.repeat(100),
    });
  } finally {
    // Its workers are processes of their own.
    process.kill(-server.pid!, 'SIGTERM');
  }
}

async function tensorboard({ program, peer, folder, artifactFolder, check }: Comparison): Promise<void> {
  await logRun(join(folder, 'tensorboard-run'), ['tensorboard'], {}, artifactFolder);
  const events = join(folder, 'tensorboard-run', 'tensorboard');
  const [name] = await readdir(events);
  const read = lastLine(capture(program, [peer, 'tensorboard', join(events, name!)])) as Record<
    string,
    Record<string, unknown>
  >;
  check('tensorboard: scalars', read['scalars'], {
    'train/loss': [
      [50, '4.25'],
      [100, 'nan'],
      [60, '1.0'],
      [150, '2.5'],
    ],
    'train/learning_rate': [[50, '9.999999747378752e-05']],
    'train/epoch': [[50, '0.5']],
    'eval/loss': [[50, '3.5']],
    'eval/f1': [[50, '0.25']],
    'train/grad_norm': [[100, 'inf']],
    'test/accuracy': [[150, '0.875']],
  });
  check('tensorboard: hparams', read['hparams'], spec.config);
  const { lora_A, metrics, session_status, tags, config } = read['tensors']!;
  const bins = lora_A as [number, number, number][];
  check(
    'tensorboard: histogram',
    [bins.length, bins[0]![0], bins.at(-1)![1], bins.map((bin) => bin[2]).filter((count) => count > 0)],
    [30, 0, 4, [1, 2, 1]],
  );
  check('tensorboard: metrics of the table', (metrics as string[]).includes('eval/f1'), true);
  check('tensorboard: status', session_status, 1);
  check('tensorboard: text', [JSON.parse(tags as string), JSON.parse(config as string)], [spec.tags, spec.config]);
}

function lastLine(text: string): unknown {
  return JSON.parse(text.trimEnd().split('\n').at(-1)!);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
