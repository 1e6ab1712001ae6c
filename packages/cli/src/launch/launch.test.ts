import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { Output } from '@qlora-js/finetune';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  launchSearch,
  LAUNCH_OPTIONS,
  SEARCH_OPTIONS,
  workerCommand,
  workers,
  type SearchValues,
} from '../commands/launch';
import { resolveOptions } from '../options/check';
import { defaultsOf } from '../options/spec';
import { kubernetesJob } from './kubernetes';
import { engineName } from './launcher';
import { RayLauncher } from './ray';
import { slurmScript } from './slurm';

let folder: string;
let lines: string[];
let output: Output;
const path = process.env['PATH']!;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'launch-'));
  lines = [];
  output = {
    section: () => undefined,
    line: (text = '') => void lines.push(text),
    warn: (text) => void lines.push(`warning: ${text}`),
    bar: () => ({ update: () => undefined, stop: () => undefined }),
    note: () => undefined,
  };
});
afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

/** Options of `search` as the command line gives them. */
const given = (values: Partial<SearchValues>) =>
  resolveOptions<SearchValues>(SEARCH_OPTIONS, defaultsOf(SEARCH_OPTIONS), [
    { place: 'command line', flags: true, values: { data: 'x.csv', trials: 20, ...values } },
  ]);
const engine = { image: undefined, secret: undefined, study: 's', quiet: false, json: false };

/** Puts a program on the PATH that writes down how it is called, and answers. */
async function standIn(name: string, answer: string): Promise<() => Promise<string[]>> {
  const log = join(folder, `${name}.calls`);
  await writeFile(join(folder, name), `#!/bin/sh\necho "$*" >> '${log}'\n${answer}\n`);
  await chmod(join(folder, name), 0o755);
  process.env['PATH'] = `${folder}${delimiter}${path}`;
  return async () => (await readFile(log, 'utf8')).trim().split('\n');
}

const jobs = {
  study: 'my-study',
  workers: 4,
  cpus: 2,
  gpus: 1,
  command: (index: string) => `npx qlora search --resume --output-dir "/out/worker-"${index}`,
};

it("gives a worker the search's own options, a folder of its own, and no password", () => {
  const options = given({
    data: "bob's.csv",
    storage: 'postgresql://me:hidden@db/q?password=hidden',
    study: 's',
    trials: 20,
    launch: 'slurm',
    workers: 3,
    outputDir: 'out',
  });
  expect(workerCommand(options, '/shared/out', '$I')).toBe(
    String.raw`npx qlora search --data 'bob'\''s.csv' --trials 20 --study s --storage postgresql://me@db/q --resume --output-dir "/shared/out/worker-$I"`,
  );
});

it.each([
  ['my-study', /^qlora-my-study$/],
  ['a'.repeat(40), /^qlora-a{40}$/],
  ['My Study', /^qlora-my-study-[0-9a-f]{8}$/],
  ['  ', /^qlora-search-[0-9a-f]{8}$/],
  ['ä'.repeat(90) + 'x', /^qlora-x-[0-9a-f]{8}$/],
  ['a'.repeat(90), /^qlora-a{40}-[0-9a-f]{8}$/],
])('calls the study %j as %s', (study, name) => expect(engineName(study)).toMatch(name));

it('calls no two studies alike', () => {
  const studies = [
    'a_b',
    'a-b',
    'A-b',
    'a b',
    'a'.repeat(40),
    'a'.repeat(41),
    'a'.repeat(42),
    '研究',
    '検索',
    '',
    'search',
  ];
  expect(new Set(studies.map(engineName)).size).toBe(studies.length);
});

describe('slurm', () => {
  it('writes an array script', () => {
    expect(slurmScript(jobs, '/out')).toBe(`#!/bin/bash
#SBATCH --job-name=qlora-my-study
#SBATCH --array=1-4
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --gres=gpu:1
#SBATCH --output=/out/worker-%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
exec npx qlora search --resume --output-dir "/out/worker-"$SLURM_ARRAY_TASK_ID
`);
    expect(slurmScript({ ...jobs, gpus: 0 }, '/out')).not.toContain('--gres');
  });

  it('submits, lists and stops it', async () => {
    const sbatch = await standIn('sbatch', 'echo "77;cluster"');
    const squeue = await standIn('squeue', 'printf "77_1 RUNNING\\n77_2 PENDING\\n"');
    const scancel = await standIn('scancel', '');
    const out = join(folder, 'out');
    await launchSearch(given({ launch: 'slurm', workers: 2, storage: 'sqlite:///s.db', study: 's', outputDir: out }), {
      output,
    });
    expect(lines[0]).toBe('started: 77');
    expect(await sbatch()).toEqual([`--parsable ${join(out, 'search.sbatch')}`]);
    expect(await readFile(join(out, 'search.sbatch'), 'utf8')).toContain('#SBATCH --array=1-2\n');
    lines = [];
    await workers('list', { ...engine, launch: 'slurm', outputDir: out }, output);
    await workers('stop', { ...engine, launch: 'slurm', outputDir: out }, output);
    expect(lines).toEqual(['77_1  RUNNING', '77_2  PENDING', 'stopped: 77_1, 77_2']);
    expect((await squeue())[0]).toBe('--me --array --noheader --name=qlora-s --format=%i %T');
    expect(await scancel()).toEqual(['77_1 77_2']);
  });

  it.each(['a b', '100%', 'a#b', "bob's"])('refuses the folder %j, which a directive would not name', async (name) => {
    const sbatch = await standIn('sbatch', 'echo 1');
    const out = join(folder, name);
    await expect(
      launchSearch(given({ launch: 'slurm', storage: 'x', outputDir: out }), { output }),
    ).rejects.toMatchObject({ name: 'UsageError', value: out, message: expect.stringContaining(out) as string });
    await expect(sbatch()).rejects.toThrow(/ENOENT/);
    await expect(readdir(out)).rejects.toThrow(/ENOENT/);
  });

  it('says what fails, and what is not there', async () => {
    process.env['PATH'] = folder;
    const options = given({ launch: 'slurm', storage: 'x', outputDir: join(folder, 'out') });
    await expect(launchSearch(options, { output })).rejects.toThrow('sbatch is not on the PATH');
    await standIn('sbatch', 'echo "invalid partition" >&2; exit 1');
    await expect(launchSearch(options, { output })).rejects.toThrow(/sbatch --parsable .* failed: invalid partition/);
  });
});

describe('kubernetes', () => {
  it('writes an Indexed Job', () => {
    const labels = { 'app.kubernetes.io/name': 'qlora', 'app.kubernetes.io/instance': 'qlora-my-study' };
    expect(kubernetesJob(jobs, { image: 'me/qlora:1', secret: 'database' })).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'qlora-my-study', labels },
      spec: {
        completionMode: 'Indexed',
        completions: 4,
        parallelism: 4,
        backoffLimit: 24,
        template: {
          metadata: { labels },
          spec: {
            restartPolicy: 'OnFailure',
            containers: [
              {
                name: 'worker',
                image: 'me/qlora:1',
                command: [
                  '/bin/sh',
                  '-c',
                  'exec npx qlora search --resume --output-dir "/out/worker-"$JOB_COMPLETION_INDEX',
                ],
                envFrom: [{ secretRef: { name: 'database' } }],
                resources: { requests: { cpu: '2' }, limits: { 'nvidia.com/gpu': '1' } },
              },
            ],
          },
        },
      },
    });
  });

  it('creates, lists and deletes it', async () => {
    const pods = { items: [{ metadata: { name: 'qlora-s-0' }, status: { phase: 'Running' } }] };
    const kubectl = await standIn(
      'kubectl',
      `[ "$1" = create ] && cat > '${folder}/manifest'\n[ "$1" = get ] && echo '${JSON.stringify(pods)}'\ntrue`,
    );
    const options = given({
      launch: 'kubernetes',
      image: 'i',
      storage: 'x',
      study: 's',
      outputDir: join(folder, 'out'),
    });
    await launchSearch(options, { output });
    expect(JSON.parse(await readFile(join(folder, 'manifest'), 'utf8'))).toMatchObject({
      kind: 'Job',
      metadata: { name: 'qlora-s' },
    });
    // An image is for pods that are yet to be.
    const values = { ...engine, launch: 'kubernetes', outputDir: folder };
    lines = [];
    await workers('list', values, output);
    await workers('stop', values, output);
    expect(lines).toEqual(['qlora-s-0  Running', 'stopped: qlora-s-0']);
    expect(await kubectl()).toEqual([
      'create -f -',
      'get pods -l job-name=qlora-s -o json',
      'get pods -l job-name=qlora-s -o json',
      'delete job qlora-s --ignore-not-found',
    ]);
    await expect(launchSearch(given({ launch: 'kubernetes', storage: 'x' }), { output })).rejects.toThrow(
      /--image is missing/,
    );
    expect(await kubectl()).toHaveLength(4);
  });

  it('says how a job is removed that is there already', async () => {
    const complaint = 'error when creating "STDIN": jobs.batch "qlora-s" already exists';
    await standIn('kubectl', `echo 'Error from server (AlreadyExists): ${complaint}' >&2; exit 1`);
    const options = given({ launch: 'kubernetes', image: 'i', storage: 'x', study: "bob's" });
    await expect(launchSearch(options, { output })).rejects.toMatchObject({
      name: 'UsageError',
      value: "bob's",
      remedy: String.raw`qlora workers stop --launch kubernetes --study 'bob'\''s' removes it`,
    });
    await standIn('kubectl', 'echo "Unauthorized" >&2; exit 1');
    await expect(launchSearch(options, { output })).rejects.toThrow(/create -f - failed: Unauthorized/);
  });
});

describe('ray', () => {
  interface Job {
    submission_id: string;
    entrypoint: string;
    metadata: Record<string, string>;
    status: string;
    logs: string;
  }
  let head: Server;
  let known: Job[];
  /** What happens to the jobs between two looks. */
  let next: (() => void)[];
  /** Submissions that come before the head is ready. */
  let early: number;
  beforeEach(async () => {
    known = [];
    next = [];
    early = 0;
    head = createServer((request, response) => {
      void answer(request).then(([status, body]) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
    head.listen(0, '127.0.0.1');
    await once(head, 'listening');
  });
  afterEach(() => head.close());

  /** A head as Ray 2.60's dashboard answers. */
  async function answer(request: IncomingMessage): Promise<[number, unknown]> {
    // As Ray's own head: what comes with a browser's headers gives no orders.
    if (request.method !== 'GET' && request.headers['sec-fetch-mode'] !== undefined) return [405, 'browser traffic'];
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const [, id, action] = /^\/api\/jobs\/([^/]*)\/?(\w*)$/.exec(request.url!) ?? [];
    if (request.method === 'POST' && id === '') {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Job & { entrypoint_num_gpus: number };
      if (early-- > 0) return [500, 'No available agent to submit job, please try again later.'];
      if (body.entrypoint_num_gpus > 1) return [500, 'no node has so many GPUs'];
      known.push({ ...body, status: 'RUNNING', logs: '' });
      return [200, { job_id: body.submission_id, submission_id: body.submission_id }];
    }
    if (id === '') return [200, [...known, { submission_id: null, status: 'RUNNING', metadata: null }]];
    const job = known.find(({ submission_id }) => submission_id === id);
    if (job === undefined) return [404, `Job ${id} does not exist`];
    if (action === 'logs') {
      if (job.status === 'PENDING') return [500, 'no node yet'];
      const { logs } = job;
      next.shift()?.();
      return [200, { logs }];
    }
    if (action === 'stop') {
      job.status = 'STOPPED';
      return [200, { stopped: true }];
    }
    return [200, job];
  }

  const target = (): string => `ray://127.0.0.1:${(head.address() as AddressInfo).port}`;

  it('submits a job a worker with its CPUs and GPUs, lists and stops them', async () => {
    const ray = new RayLauncher(target(), 1);
    early = 2;
    const ids = await ray.start({ ...jobs, study: 's', workers: 2 });
    await ray.start({ ...jobs, study: 'other', workers: 1 });
    expect(known[1]).toMatchObject({
      submission_id: ids[1],
      entrypoint: 'npx qlora search --resume --output-dir "/out/worker-"2',
      metadata: { qlora_study: 's' },
      entrypoint_num_cpus: 2,
      entrypoint_num_gpus: 1,
    });
    known[0]!.status = 'SUCCEEDED';
    expect(await ray.list('s')).toEqual([
      { id: ids[0], state: 'SUCCEEDED' },
      { id: ids[1], state: 'RUNNING' },
    ]);
    expect(await ray.stop('s')).toEqual([ids[1]]);
    expect(known.map(({ status }) => status)).toEqual(['SUCCEEDED', 'STOPPED', 'RUNNING']);
  });

  it('follows what they print, whole lines once, to their ends', async () => {
    const ray = new RayLauncher(target(), 1);
    const [id] = await ray.start({ ...jobs, workers: 1 });
    const job = known[0]!;
    job.status = 'PENDING';
    setImmediate(() => (job.status = 'RUNNING'));
    next = [
      () => (job.logs = 'trial 0\nhalf a '),
      () => (job.logs += 'line\n'),
      () => Object.assign(job, { logs: `${job.logs}no end`, status: 'FAILED' }),
    ];
    await ray.follow([id!], (text) => lines.push(text), new AbortController().signal);
    expect(lines).toEqual([`${id}: trial 0`, `${id}: half a line`, `${id}: no end`, `${id}: FAILED`]);
  });

  it('says what the head refuses, where none answers, and what is no address', async () => {
    await expect(new RayLauncher(target()).start({ ...jobs, gpus: 2 })).rejects.toThrow(
      /refused POST \/api\/jobs\/: 500 no node/,
    );
    await expect(new RayLauncher('ray://127.0.0.1:1').list('s')).rejects.toThrow(
      /no Ray head answers at http:\/\/127.0.0.1:1/,
    );
    for (const wrong of ['ray://', 'ray://user@host', 'ray://host/path'])
      expect(() => new RayLauncher(wrong)).toThrow(/no address of a Ray head/);
  });
});

it.each<[Partial<SearchValues>, RegExp]>([
  [{ data: undefined }, /--data is missing/],
  [{ trials: 0 }, /--trials is 0/],
  [{ task: 'causal-lm' }, /search knows tasks with labels or numbers/],
  [{ overwrite: true, resume: true }, /--overwrite and --resume contradict each other/],
])('starts no worker of a search that would be refused: %j', async (values, message) => {
  const sbatch = await standIn('sbatch', 'echo 1');
  const options = given({ launch: 'slurm', storage: 'x', outputDir: join(folder, 'out'), ...values });
  await expect(launchSearch(options, { output })).rejects.toThrow(message);
  await expect(sbatch()).rejects.toThrow(/ENOENT/);
  expect(await readdir(folder)).toEqual(['sbatch']);
});

it("takes data that the program finds by itself for a search's", async () => {
  await standIn('sbatch', 'echo 1');
  const options = given({ launch: 'slurm', storage: 'x', outputDir: join(folder, 'out'), data: undefined });
  await launchSearch(options, { output, findData: async () => 'found.csv' });
  expect(lines[0]).toBe('started: 1');
});

it('refuses a search without a storage to meet in, and an engine that there is none of', async () => {
  await expect(launchSearch(given({ launch: 'slurm' }), { output })).rejects.toThrow(/--storage is missing/);
  await expect(launchSearch(given({ launch: 'pbs', storage: 'x' }), { output })).rejects.toThrow(
    /--launch pbs is no engine/,
  );
  for (const outputDir of ['a$b', 'a\nb'])
    await expect(launchSearch(given({ launch: 'ray://h', storage: 'x', outputDir }), { output })).rejects.toMatchObject(
      {
        message: expect.stringMatching(/must not hold/) as string,
        value: resolve(outputDir),
      },
    );
  await expect(workers('lsit', { ...engine, launch: 'slurm', outputDir: folder }, output)).rejects.toThrow(
    /say list or stop/,
  );
  expect(Object.keys(LAUNCH_OPTIONS)).toContain('launch');
});
