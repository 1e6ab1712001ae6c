import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MlflowStandIn } from '../../testing/mlflow-stand-in';
import { folderArtifact, mlflowLogin, trackRun } from '../index';
import { metricName, paramsOf } from './values';

let folder: string;
let mlflow: MlflowStandIn;
let env: Record<string, string>;
const lines: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlflow-'));
  mlflow = await MlflowStandIn.start();
  env = { MLFLOW_TRACKING_URI: mlflow.server.base.replace('//', '//me:pa55word@') };
  lines.length = 0;
});
afterEach(async () => {
  await mlflow.server.close();
  await rm(folder, { recursive: true, force: true });
});

const start = (name: string) =>
  trackRun({
    folder: join(folder, name),
    run: {
      name,
      project: 'banking77',
      group: "it's",
      jobType: 'trial',
      tags: ['nf4'],
      config: { lr: 1e-4, lora: { r: 16 } },
    },
    reportTo: ['mlflow'],
    env,
    report: (line) => lines.push(line),
    timing: {
      finishAttempts: 20,
      delay: (ms, signal) =>
        ms === 60_000 ? new Promise((end) => signal.addEventListener('abort', () => end())) : Promise.resolve(),
    },
  });

describe('the MLflow tracker', () => {
  it('nests trials of one group, and has params, metrics, tags and artifacts', async () => {
    await mkdir(join(folder, 'trial 0', 'adapter'), { recursive: true });
    await writeFile(join(folder, 'trial 0', 'adapter', 'a b.json'), '{}');
    const first = await start('trial 0');
    first.log({ loss: 1, 'f1 (%)': 2 }, 1);
    first.log({ loss: Number.NaN }, 2);
    first.summary({ test_f1: 0.5, device: 'wasm' });
    const runFolder = join(folder, 'trial 0');
    first.artifact({
      name: 'adapter',
      type: 'model',
      ...(await folderArtifact({ folder: join(runFolder, 'adapter'), runFolder })),
    });
    expect(await first.finish('finished')).toMatchObject([{ complete: true, failures: 0 }]);
    const second = await start('trial 1');
    await second.finish('failed');
    expect(lines).toEqual([]);
    expect(mlflow.experiments).toEqual(['banking77']);
    expect(mlflow.runs.map(({ name, status }) => [name, status])).toEqual([
      ["it's", 'FINISHED'],
      ['trial 0', 'FINISHED'],
      ['trial 1', 'FAILED'],
    ]);
    const [, run, other] = mlflow.runs;
    expect([run, other].map((each) => each!.tags.get('mlflow.parentRunId'))).toEqual(['run0', 'run0']);
    expect(Object.fromEntries(run!.tags)).toMatchObject({ nf4: 'true', job_type: 'trial', device: 'wasm' });
    expect(Object.fromEntries(run!.params)).toEqual({ lr: '0.0001', 'lora.r': '16' });
    expect(run!.metrics.map(({ key, value, step }) => [key, value, step])).toEqual([
      ['loss', 1, 1],
      ['f1 ___', 2, 1],
      ['loss', 'NaN', 2],
      ['test_f1', 0.5, 0],
    ]);
    expect([...mlflow.stored]).toEqual([['0/run1/artifacts/adapter/a b.json', '{}']]);
    const encoded = Buffer.from('me:pa55word').toString('base64');
    expect(new Set(mlflow.server.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Basic ${encoded}`]),
    );
  });

  it('makes one run and one value of what comes twice', async () => {
    const troubled = new Map<string, number>();
    mlflow.server.trouble = ({ url }) => {
      const path = url.split('?')[0]!;
      troubled.set(path, (troubled.get(path) ?? 0) + 1);
      return troubled.get(path) === 1 ? { lostAnswer: true } : undefined;
    };
    const tracking = await start('once');
    for (let step = 0; step < 5; step++) tracking.log({ loss: step }, step);
    expect(await tracking.finish('finished')).toMatchObject([{ complete: true }]);
    expect(mlflow.runs.map(({ name }) => name)).toEqual(["it's", 'once']);
    expect(mlflow.runs[1]!.metrics.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('pa55word');
  });
});

describe('names and values', () => {
  it.each([
    ['eval_loss', 'eval_loss'],
    ['a/b', 'a/b'],
    ['/a//../b/', 'a/_/b'],
    ['f1 (%)', 'f1 ___'],
    ['', '_'],
    ['x'.repeat(300), 'x'.repeat(250)],
  ])('%s is %s', (name, safe) => {
    expect(metricName(name)).toBe(safe);
  });

  it('takes a config apart by dots and cuts long values', () => {
    expect(paramsOf({ a: { b: [1, 2], c: null }, d: 'x'.repeat(7000) })).toEqual([
      { key: 'a.b', value: '[1,2]' },
      { key: 'a.c', value: 'null' },
      { key: 'd', value: 'x'.repeat(6000) },
    ]);
  });

  it('takes a token before a user', () => {
    expect(mlflowLogin({ MLFLOW_TRACKING_URI: 'https://u:p@host/base/', MLFLOW_TRACKING_TOKEN: 't' })).toEqual({
      trackingUri: 'https://host/base',
      authorization: 'Bearer t',
    });
    expect(mlflowLogin({ MLFLOW_TRACKING_URI: 'http://host' }).authorization).toBeUndefined();
  });
});
