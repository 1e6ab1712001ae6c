import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadStudy } from '@qlora-js/hpo';
import { openStorage } from '@qlora-js/finetune/node';
import { kubernetesJob } from '../../../packages/cli/src/launch/kubernetes';
import { RayLauncher } from '../../../packages/cli/src/launch/ray';
import { capture, execute } from '../commands';
import { installPython } from '../install';
import { inspect } from '../postgres/storm';
import type { Verification } from '../verification';

const TRIALS = 40;
const STEPS = 5;
const WORKERS = 4;

/** A Ray of two nodes on loopback runs workers; one node is killed, and no trial is lost. */
export default {
  summary:
    'workers as jobs of a real Ray of two nodes on loopback, one of them killed; the Kubernetes Job held to its schema',
  run: async ({ root, cache, log }) => {
    const python = installPython(cache, join(root, 'tools/verify/ray/requirements.txt'));
    const counts = { passed: 0, failed: 0 };
    const note = (what: string, faults: readonly string[]): void => {
      counts[faults.length === 0 ? 'passed' : 'failed']++;
      log(`${faults.length === 0 ? 'ok' : 'FAILED'}: ${what}${faults.map((fault) => `\n  ${fault}`).join('')}`);
    };
    const folder = mkdtempSync(join(tmpdir(), 'qlora-ray-'));
    const nodes: ChildProcess[] = [];
    try {
      const manifest = join(folder, 'job.json');
      const job = { study: 's', workers: 4, cpus: 2, gpus: 1, command: (index: string) => `npx qlora search ${index}` };
      writeFileSync(manifest, JSON.stringify(kubernetesJob(job, { image: 'me/qlora:1', secret: 'database' })));
      const status = execute(join(dirname(python), 'kubernetes-validate'), ['--strict', manifest], {
        statuses: [0, 1],
      });
      note('the Kubernetes Job holds to the schema, strictly', status === 0 ? [] : ['kubernetes-validate refuses it']);

      const [port, dashboard] = [await freePort(), await freePort()];
      const ray = join(dirname(python), 'ray');
      const start = (words: readonly string[]): ChildProcess => {
        const node = spawn(
          ray,
          ['start', '--block', '--num-cpus=2', '--node-ip-address=127.0.0.1', '--disable-usage-stats', ...words],
          {
            stdio: ['ignore', 'ignore', 'inherit'],
            env: { ...process.env, RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER: '1', RAY_DISABLE_IMPORT_WARNING: '1' },
            detached: true,
          },
        );
        nodes.push(node);
        return node;
      };
      start([
        '--head',
        `--port=${port}`,
        '--include-dashboard=true',
        '--dashboard-host=127.0.0.1',
        `--dashboard-port=${dashboard}`,
      ]);
      const launcher = new RayLauncher(`ray://127.0.0.1:${dashboard}`);
      await until(async () => (await launcher.list('storm')).length === 0, 120);
      const second = start([`--address=127.0.0.1:${port}`]);
      await until(async () => (await nodeCount(dashboard)) === 2, 60);
      log('two nodes are up');

      const checkpoints = join(folder, 'checkpoints');
      mkdirSync(checkpoints);
      const url = `sqlite:///${join(folder, 'study.db')}`;
      const words = [process.execPath, ...process.execArgv, join(root, 'tools/verify/postgres/worker.ts')];
      const command = `cd '${root}' && exec ${[...words, url, 'storm', String(TRIALS), String(STEPS), checkpoints].map((word) => `'${word}'`).join(' ')}`;
      const ids = await launcher.start({ study: 'storm', workers: WORKERS, cpus: 1, gpus: 0, command: () => command });
      const printed: string[] = [];
      const following = launcher.follow(ids, (line) => printed.push(line), AbortSignal.timeout(240_000));
      await until(async () => (await begun(url)) > TRIALS / 4, 120);
      log('killing the second node');
      process.kill(-second.pid!, 'SIGKILL');
      await following;
      const { storage, close } = await openStorage(url);
      const study = await loadStudy({ storage, studyName: 'storm' });
      const { faults, ...figures } = inspect(study.trials, TRIALS, STEPS);
      await close();
      note(`${TRIALS} trials by ${WORKERS} jobs, a node killed on the way`, faults);
      const states = await launcher.list('storm');
      const succeeded = states.filter(({ state }) => state === 'SUCCEEDED').length;
      note('the jobs of the node that stayed come to their ends', succeeded > 0 ? [] : [JSON.stringify(states)]);

      const [lasting] = await launcher.start({
        study: 'lasting',
        workers: 1,
        cpus: 1,
        gpus: 0,
        command: () => 'echo begun; sleep 600',
      });
      const lines: string[] = [];
      const followed = launcher.follow([lasting!], (line) => lines.push(line), AbortSignal.timeout(60_000));
      await until(async () => lines.some((line) => line.endsWith(': begun')), 50);
      const stopped = await launcher.stop('lasting');
      await followed;
      note(
        'a job is followed, listed and stopped',
        stopped[0] === lasting && lines.at(-1)!.endsWith('STOPPED') ? [] : lines,
      );
      const version = capture(python, ['-c', 'import importlib.metadata as m; print(m.version("ray"))']);
      return {
        ...counts,
        versions: { ray: version, node: process.version },
        figures: { trials: TRIALS, workers: WORKERS, ...figures, states: states.map(({ state }) => state) },
      };
    } finally {
      for (const { pid } of nodes) {
        try {
          process.kill(-pid!, 'SIGTERM');
        } catch {
          // It has ended already.
        }
      }
      await delay(3000);
      rmSync(folder, { recursive: true, force: true });
    }
  },
} satisfies Verification;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

async function nodeCount(dashboard: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${dashboard}/nodes?view=summary`);
  const body = (await response.json()) as { data?: { summary?: readonly { raylet?: { state?: string } }[] } };
  return (body.data?.summary ?? []).filter(({ raylet }) => raylet?.state === 'ALIVE').length;
}

async function begun(url: string): Promise<number> {
  const { storage, close } = await openStorage(url);
  try {
    const study = storage.getStudies().find(({ name }) => name === 'storm');
    if (study === undefined) return 0;
    await storage.watch?.(study.id);
    return storage.getTrials(study.id).length;
  } finally {
    await close();
  }
}

/** Waits until something is so; what fails on the way counts as not yet. */
async function until(isSo: () => Promise<boolean>, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    if (await isSo().catch(() => false)) return;
    if (performance.now() > end) throw new Error(`not so after ${seconds} s`);
    await delay(500);
  }
}
