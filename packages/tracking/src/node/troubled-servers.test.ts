import { appendFile, mkdtemp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FeedTiming } from '../index';
import { deadAddress, type Trouble } from '../testing/loopback';
import { WandbStandIn } from '../testing/wandb-stand-in';
import { followRunEvents, readRunEvents, runFolders, syncRuns, trackRun } from './index';

const STEPS = 500;
let folder: string;
let wandb: WandbStandIn;
const lines: string[] = [];
const report = (line: string): void => void lines.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'troubled-'));
  wandb = await WandbStandIn.start();
  lines.length = 0;
});
afterEach(async () => {
  await wandb.server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Retries at once; a delivery's own limit is as given. */
const hasty: FeedTiming = {
  finishTimeoutMs: 1e9,
  delay: (milliseconds, signal) =>
    milliseconds === 1e9
      ? new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
      : new Promise((resolve) => setImmediate(resolve)),
};

const envOf = (base: string): Record<string, string> => ({
  WANDB_BASE_URL: base,
  WANDB_API_KEY: 'k'.repeat(40),
  HOME: folder,
});

/** Logs a run's rows; what of it the truth on disk holds before any answer came. */
async function logRun(base: string, timing: FeedTiming) {
  const tracking = await trackRun({
    folder,
    run: { name: 'r', id: 'run00001', project: 'p' },
    reportTo: ['wandb'],
    env: envOf(base),
    report,
    timing,
  });
  for (let step = 1; step <= STEPS; step++) tracking.log({ loss: 1 / step }, step);
  const rows = (await readFile(join(folder, 'run.jsonl'), 'utf8')).split('\n').length - 2;
  return { tracking, rows };
}

const allSteps = Array.from({ length: STEPS }, (_, i) => i + 1);
const steps = (): unknown[] => wandb.rows('run00001').map((row) => row['_step']);

describe('a tracker in trouble neither stops nor slows a run, is reported once, and gets every row once', () => {
  it('on a dead port', async () => {
    const { tracking, rows } = await logRun(await deadAddress(), hasty);
    expect(rows).toBe(STEPS);
    expect(await tracking.finish('finished')).toMatchObject([
      { complete: false, firstFailure: { code: 'UNREACHABLE' } },
    ]);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /^tracker wandb: 127\.0\.0\.1:\d+\/graphql: no connection \(.*ECONNREFUSED.*\)\. The run goes on/,
    );
    lines.length = 0;
    await syncRuns({ folder, env: envOf(wandb.server.base), report });
    expect(steps()).toEqual(allSteps);
    expect(wandb.runs.get('run00001')!.complete).toBe(true);
  });

  it('that never answers', async () => {
    wandb.server.trouble = () => ({ silence: true });
    const { tracking, rows } = await logRun(wandb.server.base, { ...hasty, deliveryTimeoutMs: 40 });
    expect(rows).toBe(STEPS);
    expect(await tracking.finish('finished')).toMatchObject([{ complete: false, firstFailure: { code: 'TIMEOUT' } }]);
    expect(lines).toHaveLength(2);
    expect(wandb.server.requests.length).toBeGreaterThan(0);
    wandb.server.trouble = () => undefined;
    await syncRuns({ folder, env: envOf(wandb.server.base), report });
    expect(steps()).toEqual(allSteps);
  });

  it.each<[string, Trouble]>([
    ['that answers 500', { status: 500, text: 'oops' }],
    ['that answers 429', { status: 429 }],
    ['that answers with a page', { status: 200, text: '<html>Welcome</html>' }],
    ['that answers with other JSON', { status: 200, text: '{"data": {"upsertBucket": null}}' }],
    ['that loses its answers', { lostAnswer: true }],
  ])('%s, and then comes back', async (_, trouble) => {
    const asked = new Map<string, number>();
    wandb.server.trouble = ({ url, body }) => {
      const what = /"operationName":"\w+"/.exec(body.toString())?.[0] ?? url;
      asked.set(what, (asked.get(what) ?? 0) + 1);
      // An answer to rows may hold anything that is an object.
      const taken = 'text' in trouble && trouble.text?.startsWith('{') && what === url;
      return asked.get(what)! > 2 || taken ? undefined : trouble;
    };
    const { tracking, rows } = await logRun(wandb.server.base, { ...hasty, finishAttempts: 20 });
    expect(rows).toBe(STEPS);
    const [outcome] = await tracking.finish('finished');
    expect(outcome!.complete).toBe(true);
    expect(outcome!.failures).toBeGreaterThan(1);
    expect(lines.filter((line) => line.startsWith('tracker'))).toHaveLength(1);
    expect(steps()).toEqual(allSteps);
  });

  it('that takes its time with each answer', async () => {
    let release = (): void => undefined;
    let late = 0;
    wandb.server.trouble = () =>
      new Promise((resolve) => {
        late++;
        release = () => resolve(undefined);
      });
    const { tracking, rows } = await logRun(wandb.server.base, hasty);
    expect(rows).toBe(STEPS);
    // All rows are logged while the first answer is still out.
    expect(wandb.server.requests.length).toBeLessThanOrEqual(1);
    let done = false;
    const finished = tracking.finish('finished').then((outcome) => {
      done = true;
      return outcome;
    });
    while (!done) {
      release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await finished).toMatchObject([{ complete: true, failures: 0 }]);
    expect(late).toBe(wandb.server.requests.length);
    expect(steps()).toEqual(allSteps);
  });
});

describe("a run's folder", () => {
  it('is fed by one process at a time', async () => {
    await mkdir(join(folder, 'trackers'));
    await writeFile(
      join(folder, 'trackers', 'wandb.lock'),
      `${process.ppid}@${(await import('node:os')).hostname()} x`,
    );
    const { tracking } = await logRun(wandb.server.base, hasty);
    expect(await tracking.finish('finished')).toMatchObject([{ firstFailure: { code: 'IN_USE' } }]);
    expect(wandb.server.requests).toEqual([]);
  });

  it('is read past a line that was cut off, and gone on with behind it', async () => {
    const { tracking } = await logRun(wandb.server.base, hasty);
    await tracking.finish('failed');
    await appendFile(join(folder, 'run.jsonl'), '{"event":"log","ti');
    const again = await trackRun({ folder, run: { name: 'r' }, report, env: {} });
    expect(again.id).toBe('run00001');
    await again.finish('finished');
    const events = (await readRunEvents(folder)).map(({ event }) => event);
    expect(events.slice(-3)).toEqual(['finish', 'start', 'finish']);
    expect(events).toHaveLength(STEPS + 4);
  });

  it('can be followed as it grows', async () => {
    const tracking = await trackRun({ folder, run: { name: 'r' }, report, env: {} });
    const controller = new AbortController();
    const seen: string[] = [];
    let looks = 0;
    const delay = async (): Promise<void> => {
      looks++;
      if (looks === 1) tracking.log({ loss: 1 }, 1);
      else controller.abort();
    };
    for await (const events of followRunEvents(folder, { signal: controller.signal, delay })) {
      seen.push(...events.map(({ event }) => event));
    }
    expect(seen).toEqual(['start', 'log']);
    await tracking.finish('finished');
  });

  it('is found below others', async () => {
    for (const name of ['trial-1', 'trial-0', 'final']) {
      const tracking = await trackRun({ folder: join(folder, 'search', name), run: { name }, report, env: {} });
      await tracking.finish('finished');
    }
    expect(await runFolders(folder)).toEqual(
      ['final', 'trial-0', 'trial-1'].map((name) => join(folder, 'search', name)),
    );
    await expect(syncRuns({ folder: join(folder, 'search', 'final', 'trackers'), report })).rejects.toMatchObject({
      code: 'READ_FAILED',
    });
  });
});

describe('reportTo', () => {
  it.each([
    [['tensorbord'], {}, 'UNKNOWN_TRACKER', /reportTo: there is no tracker "tensorbord"\. Choose from wandb, mlflow/],
    [['wandb'], {}, 'MISSING_KEY', /there is no key for api\.wandb\.ai\. Set WANDB_API_KEY/],
    [['mlflow'], {}, 'MISSING_KEY', /MLFLOW_TRACKING_URI/],
    [['mlflow'], { MLFLOW_TRACKING_URI: 'sqlite:///x' }, 'INVALID_ARGUMENT', /mlflow server/],
  ])('%j with %j fails with %s before anything is written', async (reportTo, env, code, message) => {
    const target = join(folder, 'new');
    const started = trackRun({ folder: target, run: { name: 'r' }, reportTo, env: { ...env, HOME: folder }, report });
    await expect(started).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
    await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says so where the folder cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const started = trackRun({ folder: join(folder, 'file', 'run'), run: { name: 'r' }, report });
    await expect(started).rejects.toMatchObject({ code: 'WRITE_FAILED' });
  });
});
