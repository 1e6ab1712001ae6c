import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { systemCode } from '../system-error';

const heartbeatMilliseconds = 5_000;
/** A lock on another machine's share that was not renewed for so long belongs to a process that is gone. */
const staleMilliseconds = 60_000;
const pollMilliseconds = 250;

/**
 * Runs `run` while no other process of this package does so under the same path. A file that only one can create; its
 * owner renews it, and one whose owner has died is taken over.
 */
export async function withLock<Result>(
  path: string,
  wait: (milliseconds: number) => Promise<void>,
  run: () => Promise<Result>,
): Promise<Result> {
  await mkdir(dirname(path), { recursive: true });
  while (!(await tryLock(path))) {
    if (await isAbandoned(path)) await takeAway(path);
    else await wait(pollMilliseconds);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, heartbeatMilliseconds);
  heartbeat.unref();
  try {
    return await run();
  } finally {
    clearInterval(heartbeat);
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify({ host: hostname(), pid: process.pid }));
    await file.close();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > staleMilliseconds) return true;
    const owner = JSON.parse(await readFile(path, 'utf8')) as { host?: unknown; pid?: unknown } | null;
    return owner?.host === hostname() && typeof owner.pid === 'number' && !isRunning(owner.pid);
  } catch {
    // Gone, or not yet written: look again later.
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/** By renaming, which only one of several waiting processes can do. */
async function takeAway(path: string): Promise<void> {
  const away = `${path}.${randomUUID()}`;
  try {
    await rename(path, away);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  await rm(away, { force: true });
}
