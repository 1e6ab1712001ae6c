import { checkOptions } from '../check-options';
import { closeSync, lstatSync, openSync, renameSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { HpoError, shown } from '../errors';
import { randomUuid } from '../random/uuid';
import { type Logger } from '../study/logger';

export interface JournalFileLockOptions {
  /** Makes the lock as a symbolic link (any file system, NFSv2 too) or as a file opened exclusively (Windows). */
  kind?: 'symlink' | 'open';
  /** A lock whose journal has not changed for so long is taken to be left by a dead worker, and broken. */
  graceMs?: number;
}

const longestSleepMs = 1000;
const warningMs = 10_000;

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/**
 * The lock file `JOURNAL.lock` beside a journal, the one that Optuna's workers take, so that both sides can write.
 * Source: optuna.storages.journal.JournalFileSymlinkLock and JournalFileOpenLock.
 */
export class JournalFileLock {
  private readonly target: string;
  private readonly path: string;
  private readonly kind: 'symlink' | 'open';
  private readonly graceMs: number;
  private readonly logger: Logger;

  constructor(journal: string, logger: Logger, options: JournalFileLockOptions = {}) {
    checkOptions('lock', options, ['kind', 'graceMs']);
    const { kind = process.platform === 'win32' ? 'open' : 'symlink', graceMs = 30_000 } = options;
    if (!(graceMs > 0)) {
      throw new HpoError('INVALID_ARGUMENT', `graceMs must be a number above 0, but is ${shown(graceMs)}`, {
        value: graceMs,
      });
    }
    this.target = resolve(journal);
    this.path = `${journal}.lock`;
    this.kind = kind;
    this.graceMs = graceMs;
    this.logger = logger;
  }

  /** Runs `work` while holding the lock; waits for it as long as others hold it. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await this.acquire();
    try {
      return await work();
    } finally {
      this.release();
    }
  }

  private async acquire(): Promise<void> {
    if (this.tryAcquire()) return;
    let sleepMs = 1;
    let seen = this.signOfLife();
    let seenAt = performance.now();
    let warnedAt = seenAt;
    while (!this.tryAcquire()) {
      const now = performance.now();
      const sign = this.signOfLife();
      if (sign !== seen) [seen, seenAt] = [sign, now];
      if (now - seenAt > this.graceMs) {
        this.logger.warn(`breaking ${this.path}: nothing has been written for ${this.graceMs} ms`);
        // Another worker may be breaking it too; whoever comes second finds nothing to take away.
        this.remove();
        seenAt = now;
        sleepMs = 1;
        continue;
      }
      if (now - warnedAt > warningMs) {
        this.logger.warn(`still waiting for ${this.path}`);
        warnedAt = now;
      }
      await new Promise((resolve) => setTimeout(resolve, sleepMs));
      sleepMs = Math.min(sleepMs * 2, longestSleepMs);
    }
  }

  private tryAcquire(): boolean {
    try {
      if (this.kind === 'symlink') symlinkSync(this.target, this.path);
      else closeSync(openSync(this.path, 'wx'));
      return true;
    } catch (cause) {
      if (codeOf(cause) === 'EEXIST') return false;
      throw new HpoError('JOURNAL_NOT_WRITABLE', `can't make the lock ${this.path}: ${String(cause)}`, {
        place: this.path,
        cause,
      });
    }
  }

  /** Changes whenever the lock's holder, or the journal it is for, does. */
  private signOfLife(): string {
    const lock = lstatSync(this.path, { throwIfNoEntry: false });
    const journal = statSync(this.target, { throwIfNoEntry: false });
    return `${lock?.mtimeMs} ${journal?.mtimeMs}`;
  }

  private release(): void {
    if (this.remove()) return;
    throw new HpoError(
      'LOCK_LOST',
      `${this.path} was taken away while it was held, by a worker that waited more than its grace period`,
      { place: this.path, remedy: 'Check the end of the journal, and give workers a longer graceMs' },
    );
  }

  /** Renames first: of two workers that remove the lock, only one succeeds. */
  private remove(): boolean {
    const away = `${this.path}${randomUuid()}.rename`;
    try {
      renameSync(this.path, away);
    } catch {
      return false;
    }
    unlinkSync(away);
    return true;
  }
}
