import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finalRunName, qloraRunConfig } from '../../index';
import { LoopbackServer } from '../../testing/loopback';
import { WandbStandIn } from '../../testing/wandb-stand-in';
import { folderArtifact, syncRuns, trackRun, wandbLogin } from '../index';
import { manifestDigest } from './artifact';

const KEY = 'a1b2c3d4'.repeat(5);
let folder: string;
let wandb: WandbStandIn;
let env: Record<string, string>;
const lines: string[] = [];
const report = (line: string): void => void lines.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wandb-'));
  wandb = await WandbStandIn.start();
  env = { WANDB_BASE_URL: wandb.server.base, WANDB_API_KEY: KEY, HOME: folder };
  lines.length = 0;
});
afterEach(async () => {
  await wandb.server.close();
  await rm(folder, { recursive: true, force: true });
});

const run = {
  name: finalRunName('nf4'),
  id: 'abc12345',
  project: 'banking77',
  group: 'search-1',
  jobType: 'final',
  tags: ['nf4', 'qlora'],
  config: qloraRunConfig({
    model: 'dialogpt',
    quantType: 'nf4',
    doubleQuant: true,
    computeDtype: 'float16',
    phase: 'final_training',
    maxLength: 128,
  }),
};

const operations = (): string[] =>
  wandb.server.requests.map(({ url, body }) => /"operationName":"(\w+)"/.exec(body.toString())?.[1] ?? url);

describe('the W&B tracker', () => {
  it('shows a whole run: name, group, config, rows by step, summary, the adapter as an artifact, the end', async () => {
    await mkdir(join(folder, 'adapter'));
    await writeFile(join(folder, 'adapter', 'adapter_config.json'), '{"r":16}');
    await writeFile(join(folder, 'adapter', 'adapter_model.safetensors'), 'x'.repeat(100));
    const tracking = await trackRun({ folder, run, reportTo: ['wandb'], env, report });
    tracking.log({ loss: 4.2, learning_rate: 1e-4 }, 50);
    tracking.log({ eval_loss: 3.9, eval_f1: 0.25 }, 50);
    tracking.log({ loss: Number.NaN, grad_norm: Number.POSITIVE_INFINITY }, 100);
    tracking.histogram('lora_A', [0, 1, 1], 100);
    tracking.log({ loss: 1 }, 60);
    tracking.summary({ test_accuracy: 0.9 });
    const artifact = await folderArtifact({ folder: join(folder, 'adapter'), runFolder: folder });
    tracking.artifact({ name: 'adapter-abc12345', type: 'model', ...artifact });
    const outcome = await tracking.finish('finished');
    expect(outcome).toEqual([{ tracker: 'wandb', complete: true, failures: 0, firstFailure: undefined }]);
    expect(lines).toEqual([`wandb: ${wandb.server.base}/me/banking77/runs/abc12345`]);
    expect(wandb.runs.get('abc12345')).toMatchObject({
      displayName: 'final_best_QLoRA-NF4',
      group: 'search-1',
      jobType: 'final',
      tags: ['nf4', 'qlora'],
      complete: true,
      exitCode: 0,
      config: {
        model: { value: 'dialogpt' },
        method: { value: 'QLoRA' },
        quantization_4bit: { value: true },
        bnb_4bit_quant_type: { value: 'nf4' },
        bnb_double_quant: { value: true },
        bnb_compute_dtype: { value: 'float16' },
        phase: { value: 'final_training' },
        max_length: { value: 128 },
      },
    });
    expect(wandb.rows('abc12345').map(({ _timestamp, _runtime, ...row }) => row)).toEqual([
      { _step: 50, loss: 4.2, learning_rate: 1e-4, eval_loss: 3.9, eval_f1: 0.25 },
      {
        _step: 100,
        loss: 'NaN',
        grad_norm: 'Infinity',
        lora_A: expect.objectContaining({ _type: 'histogram' }) as unknown,
      },
    ]);
    expect(wandb.summary('abc12345')).toMatchObject({ loss: 'NaN', eval_f1: 0.25, test_accuracy: 0.9, _step: 100 });
    expect(wandb.artifacts).toMatchObject([{ name: 'adapter-abc12345', type: 'model', committed: true }]);
    expect(wandb.stored.get('artifact/adapter_model.safetensors')?.toString()).toBe('x'.repeat(100));
    const manifest = JSON.parse(wandb.stored.get('manifest')!.toString()) as { contents: Record<string, object> };
    expect(manifest.contents['adapter_config.json']).toMatchObject({ digest: 'mhJg1d5gX9GUIxYJ9pV2PA==', size: 8 });
  });

  it('digests an artifact as the Python client does', () => {
    // wandb 0.31 for these two files.
    const files = [
      { path: 'adapter_model.safetensors', md5: 'rtVj7K+0vMVlTFl6QhVHsg==' },
      { path: 'adapter_config.json', md5: 'mhJg1d5gX9GUIxYJ9pV2PA==' },
    ];
    expect(manifestDigest(files)).toBe('d094c3de43d290ccc09346f0ffb82251');
  });

  it('keeps the key out of every file, line, other host and storage', async () => {
    const tracking = await trackRun({
      folder,
      run: { ...run, config: { note: `use ${KEY}`, WANDB_API_KEY: KEY } },
      reportTo: ['wandb'],
      env,
      report,
    });
    wandb.server.trouble = ({ url }) =>
      url === '/graphql' ? undefined : { status: 400, text: JSON.stringify({ error: `key ${KEY} is bad` }) };
    tracking.log({ loss: 1 }, 1);
    tracking.summary({ note: KEY });
    await tracking.finish('failed');
    expect(lines.join('\n')).toContain('status 400: key [redacted] is bad');
    const encoded = Buffer.from(`api:${KEY}`).toString('base64');
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), 'utf8'));
    for (const text of [...(await Promise.all(texts)), ...lines]) {
      expect(text).not.toContain(KEY);
      expect(text).not.toContain(encoded);
    }
    const asked = wandb.server.requests.filter(({ url }) => url !== '/graphql' && !url.includes('file_stream'));
    for (const { headers } of asked) expect(headers.authorization).toBeUndefined();
    expect(wandb.server.requests[0]!.headers.authorization).toBe(`Basic ${encoded}`);
  });

  it('follows no redirect with the key', async () => {
    const other = await LoopbackServer.start(() => ({}));
    wandb.server.trouble = () => ({ status: 307, headers: { location: `${other.base}/graphql` } });
    const tracking = await trackRun({ folder, run, reportTo: ['wandb'], env, report });
    await tracking.finish('finished');
    await other.close();
    expect(other.requests).toEqual([]);
    expect(lines[0]).toMatch(
      /^tracker wandb: 127\.0\.0\.1:\d+\/graphql: status 307, a redirect, which is not followed\./,
    );
  });

  it('goes on with a run of the same folder under its id, behind the rows there are', async () => {
    const first = await trackRun({ folder, run: { ...run, id: undefined }, reportTo: ['wandb'], env, report });
    first.log({ loss: 3 }, 10);
    await first.finish('interrupted');
    expect(wandb.runs.get(first.id)!.exitCode).toBe(255);
    const second = await trackRun({ folder, run: { ...run, id: undefined }, reportTo: ['wandb'], env, report });
    expect(second.id).toBe(first.id);
    second.log({ loss: 2 }, 20);
    await second.finish('finished');
    expect(wandb.rows(first.id).map((row) => row['_step'])).toEqual([10, 20]);
    expect(wandb.runs.get(first.id)!.exitCode).toBe(0);
  });

  it('keeps an offline run on disk, and sync sends it', async () => {
    const tracking = await trackRun({
      folder,
      run,
      reportTo: ['wandb'],
      env: { ...env, WANDB_MODE: 'offline' },
      report,
    });
    tracking.log({ loss: 1 }, 5);
    expect(await tracking.finish('finished')).toEqual([]);
    expect(wandb.server.requests).toEqual([]);
    const synced = await syncRuns({ folder, env, report });
    expect(synced[0]!.trackers).toMatchObject([{ tracker: 'wandb', complete: true }]);
    expect(wandb.rows('abc12345').map((row) => row['_step'])).toEqual([5]);
    const asked = wandb.server.requests.length;
    await syncRuns({ folder, env, report });
    expect(wandb.server.requests).toHaveLength(asked);
  });

  it('sends every row once after kill -9, also those whose answer was lost', async () => {
    const program = fileURLToPath(new URL('../../testing/kill-child.ts', import.meta.url));
    const typescript = fileURLToPath(new URL('../../../../../tools/typescript.mjs', import.meta.url));
    const asked = new Promise<void>((resolve) => {
      // Takes the rows and never says so.
      wandb.server.trouble = ({ url }) => {
        if (!url.includes('file_stream')) return undefined;
        resolve();
        return { lostAnswer: true };
      };
    });
    const child = fork(program, [folder, wandb.server.base], {
      execArgv: ['--conditions=@qlora-js/source', '--import', typescript],
    });
    const ended = once(child, 'exit');
    await asked;
    child.send('die');
    expect(await ended).toEqual([null, 'SIGKILL']);
    wandb.server.trouble = () => undefined;
    const synced = await syncRuns({ folder, env, report });
    expect(synced[0]!.trackers).toMatchObject([{ complete: true, failures: 0 }]);
    expect(wandb.rows('killed01').map((row) => row['_step'])).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(operations().filter((name) => name === 'UpsertBucket')).toHaveLength(1);
  });
});

describe('wandbLogin', () => {
  it('takes the key of the environment before that of netrc, and that of the very host', async () => {
    const netrc = join(folder, 'netrc');
    await writeFile(
      netrc,
      `default login x password wrong\nmachine api.wandb.ai\n  login user\n  password ${KEY}\nmachine other login u password no`,
    );
    expect(await wandbLogin({ NETRC: netrc })).toEqual({ baseUrl: 'https://api.wandb.ai', apiKey: KEY });
    expect((await wandbLogin({ NETRC: netrc, WANDB_API_KEY: 'mine' })).apiKey).toBe('mine');
    await expect(wandbLogin({ NETRC: netrc, WANDB_BASE_URL: 'https://wandb.example' })).rejects.toMatchObject({
      code: 'MISSING_KEY',
      message: expect.stringContaining('there is no key for wandb.example') as unknown,
    });
    await expect(wandbLogin({ WANDB_BASE_URL: 'https://u:p@host' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
