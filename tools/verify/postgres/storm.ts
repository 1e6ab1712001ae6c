import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { loadStudy, type FrozenTrial } from '@qlora-js/hpo';
import { openStorage } from '@qlora-js/finetune/node';

/** How large a storm is. */
export interface StormOptions {
  readonly url: string;
  readonly trials: number;
  readonly workers: number;
  readonly steps: number;
  /** Folder of the checkpoints, made anew. */
  readonly folder: string;
  /** Restarts the database; undefined where there is nothing to restart. */
  readonly restart?: () => void;
  readonly log: (line: string) => void;
}

/** What a storm left behind. */
export interface StormResult {
  readonly seconds: number;
  readonly killed: number;
  readonly failed: number;
  readonly repeated: number;
  readonly goneOnWith: number;
  readonly complete: number;
  /** What should not be, in words. */
  readonly faults: readonly string[];
}

const STUDY = 'storm';

/** Runs workers on one study, kills half of them with SIGKILL in the middle of a trial and restarts the database once. */
export async function storm({ url, trials, workers, steps, folder, restart, log }: StormOptions): Promise<StormResult> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const started = performance.now();
  const script = join(import.meta.dirname, 'worker.ts');
  const children = Array.from({ length: workers }, () =>
    spawn(process.execPath, [...process.execArgv, script, url, STUDY, String(trials), String(steps), folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
  const ends = children.map((child) => once(child, 'exit'));
  const victims = children.slice(0, Math.floor(workers / 2));
  // A kill after every so many trials that began, whatever the machine's speed.
  const opened = await openStorage(url);
  const progress = async (): Promise<readonly FrozenTrial[]> => {
    await opened.storage.refresh();
    const study = opened.storage.getStudies().find(({ name }) => name === STUDY);
    if (study === undefined) return [];
    await opened.storage.watch?.(study.id);
    return opened.storage.getTrials(study.id);
  };
  const between = Math.max(1, Math.floor((trials * 0.8) / (victims.length + 1)));
  let next = between;
  let restarted = restart === undefined;
  const left = new Set(victims);
  while (left.size > 0 && children.some(isAlive)) {
    await delay(50 + 100 * Math.random());
    const begun = await progress();
    if (!restarted && begun.length > trials / 3) {
      log(`restarting the database after ${begun.length} trials`);
      restart!();
      restarted = true;
    }
    if (begun.length < next) continue;
    const victim = [...left].find((child) => isAlive(child) && begun.some((trial) => isUnderWay(trial, child)));
    if (victim === undefined) continue;
    victim.kill('SIGKILL');
    left.delete(victim);
    next += between;
  }
  await opened.close();
  const codes = await Promise.all(ends);
  // One that had come to its end before the signal did was not killed.
  const killed = victims.filter(({ signalCode }) => signalCode === 'SIGKILL').length;
  log(`${killed} of ${workers} workers killed`);
  const errors = codes.slice(victims.length).filter(([code]) => code !== 0);
  const seconds = (performance.now() - started) / 1000;
  const { storage, close } = await openStorage(url);
  const study = await loadStudy({ storage, studyName: STUDY });
  const result = inspect(study.trials, trials, steps);
  await close();
  const faults = errors.length === 0 ? [] : [`${errors.length} workers ended with an error`];
  if (!restarted) faults.push('the database was not restarted');
  if (killed < victims.length) faults.push(`${killed} workers were killed instead of ${victims.length}`);
  if (result.repeated === 0) faults.push('no trial was repeated');
  if (result.goneOnWith === 0) faults.push('no trial was gone on with from a checkpoint');
  return { seconds, killed, ...result, faults: [...faults, ...result.faults] };
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Whether a worker is in the middle of a trial: one report is stored, and the checkpoint written beside it. */
function isUnderWay({ state, userAttrs, intermediateValues }: FrozenTrial, { pid }: ChildProcess): boolean {
  return state === 'RUNNING' && userAttrs['pid'] === pid && intermediateValues.size > 0;
}

/** The trial that a trial repeats, or itself. */
function originOf({ number, systemAttrs }: FrozenTrial): number {
  const history = systemAttrs['retry_history'];
  return Array.isArray(history) ? Number(history[0]) : number;
}

/** Looks for trials that were lost, finished twice or numbered wrongly. */
export function inspect(
  all: readonly FrozenTrial[],
  trials: number,
  steps: number,
): Omit<StormResult, 'seconds' | 'killed'> {
  const faults: string[] = [];
  const originals = new Map<number, FrozenTrial[]>();
  all.forEach((trial, index) => {
    if (trial.number !== index) faults.push(`trial ${trial.number} stands at ${index}`);
    originals.set(originOf(trial), [...(originals.get(originOf(trial)) ?? []), trial]);
  });
  if (originals.size !== trials) faults.push(`${originals.size} trials instead of ${trials}`);
  for (const [origin, its] of originals) {
    const complete = its.filter(({ state }) => state === 'COMPLETE').length;
    const open = its.filter(({ state }) => state === 'RUNNING' || state === 'WAITING').length;
    if (open > 0) faults.push(`trial ${origin} was lost: ${its.map(({ state }) => state).join(', ')}`);
    if (complete > 1) faults.push(`trial ${origin} was finished ${complete} times`);
    // Repeated once; a second death of the same trial is its end.
    if (complete === 0 && its.length < 2) faults.push(`trial ${origin} failed and was not repeated`);
    const sizes = its
      .filter(({ state }) => state === 'COMPLETE')
      .map(({ userAttrs, intermediateValues }) => Number(userAttrs['began_at']) + intermediateValues.size);
    if (sizes.some((size) => size !== steps)) faults.push(`trial ${origin} has ${sizes.join()} steps`);
  }
  const repeated = all.filter((trial) => originOf(trial) !== trial.number);
  return {
    failed: all.filter(({ state }) => state === 'FAIL').length,
    repeated: repeated.length,
    goneOnWith: repeated.filter(({ userAttrs }) => Number(userAttrs['began_at']) > 0).length,
    complete: all.filter(({ state }) => state === 'COMPLETE').length,
    faults,
  };
}
