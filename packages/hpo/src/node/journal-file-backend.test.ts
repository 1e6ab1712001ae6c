import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { JournalStorage } from '../storage/journal/journal-storage';
import { createStudy, loadStudy } from '../study/create-study';
import { inTemporaryFolder } from '../testing/in-temporary-folder';
import { recordingLogger } from '../testing/logger';
import { JournalFileBackend } from './journal-file-backend';
import { JournalFileLock } from './journal-file-lock';

const line = (step: number) => `{"step":${step}}`;
const read = (backend: JournalFileBackend, from = 0) => [...backend.readLines(from)];

describe('JournalFileBackend', () => {
  it('reads back what it appended, from any line, in any number of pieces', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const backend = new JournalFileBackend(path);
      expect(read(backend)).toEqual([]);
      // Longer than the chunks it reads in, with characters of several bytes across their borders.
      const long = JSON.stringify('☕'.repeat(800_000));
      await backend.appendLines([line(0), long]);
      await backend.appendLines([line(2)]);
      expect(read(backend)).toEqual([line(0), long, line(2)]);
      expect(read(backend, 2)).toEqual([line(2)]);
      expect(read(backend, 3)).toEqual([]);
      expect(read(new JournalFileBackend(path))).toEqual([line(0), long, line(2)]);
      expect(readdirSync(folder)).toEqual(['study.log']);
    }));

  it('leaves an unfinished line alone while reading, and takes it up once it is finished', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      writeFileSync(path, `${line(0)}\n{"st`);
      const backend = new JournalFileBackend(path);
      expect(read(backend)).toEqual([line(0)]);
      expect(read(backend, 1)).toEqual([]);
      appendFileSync(path, 'ep":1}\n');
      expect(read(backend, 1)).toEqual([line(1)]);
    }));

  it('cuts an unfinished line off before it appends, and says so', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const logger = recordingLogger();
      const backend = new JournalFileBackend(path, { logger });
      for (const torn of ['{"st', 'x'.repeat(3 << 20)]) {
        writeFileSync(path, `${line(0)}\n${torn}`);
        await backend.appendLines([line(1)]);
        expect(readFileSync(path, 'utf8')).toBe(`${line(0)}\n${line(1)}\n`);
        expect(logger.warnings.at(-1)).toContain(`dropped ${torn.length} bytes`);
      }
      writeFileSync(path, 'no line at all');
      await backend.appendLines([line(0)]);
      expect(readFileSync(path, 'utf8')).toBe(`${line(0)}\n`);
    }));

  it('goes on after a worker was killed anywhere in a record', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const logger = recordingLogger();
      const open = () => new JournalStorage(new JournalFileBackend(path, { logger }));
      const study = await createStudy({ studyName: 's', storage: open(), logger });
      await study.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 2 });
      const { params } = study.trials[1]!;
      const whole = readFileSync(path);
      const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
      for (let size = lastLine; size < whole.length; size += 5) {
        writeFileSync(path, whole.subarray(0, size));
        const resumed = await loadStudy({ storage: open(), logger });
        expect(resumed.trials.map(({ state }) => state)).toEqual(['COMPLETE', 'RUNNING']);
        await resumed.failRunningTrials({ retry: true });
        await resumed.optimize((trial) => trial.suggestFloat('x', 0, 1), { nTrials: 1 });
        expect(resumed.trials.map(({ state }) => state)).toEqual(['COMPLETE', 'FAIL', 'COMPLETE']);
        expect(resumed.trials[2]!.params).toEqual(params);
      }
    }));

  it('says when a file is not what it was', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const backend = new JournalFileBackend(path);
      await backend.appendLines([line(0), line(1)]);
      expect(read(backend)).toHaveLength(2);
      truncateSync(path, 3);
      expect(() => read(backend, 2)).toThrow(
        /has 3 bytes, fewer than the 22 that were read from it: was it replaced\?/,
      );
      writeFileSync(path, Buffer.from([0x22, 0xff, 0x22, 10]));
      expect(() => read(new JournalFileBackend(path))).toThrow(/line 1 is not UTF-8/);
    }));

  it('says where it can not write or read', () =>
    inTemporaryFolder(async (folder) => {
      expect(() => new JournalFileBackend(join(folder, 'none', 'study.log'))).toThrow(
        expect.objectContaining({ code: 'JOURNAL_NOT_WRITABLE' }) as Error,
      );
      const directory = join(folder, 'directory');
      mkdirSync(directory);
      const backend = new JournalFileBackend(directory);
      await expect(backend.appendLines([line(0)])).rejects.toThrow(/can't write to .*directory/);
      expect(existsSync(`${directory}.lock`)).toBe(false);
    }));

  // Linux has a device that is always full.
  if (process.platform === 'linux')
    it('says when the disk is full, and leaves no lock', () =>
      inTemporaryFolder(async (folder) => {
        const path = join(folder, 'study.log');
        symlinkSync('/dev/full', path);
        const backend = new JournalFileBackend(path, { logger: recordingLogger() });
        await expect(backend.appendLines([line(0)])).rejects.toThrow(/can't write to .*study.log: .*ENOSPC/);
        expect(readdirSync(folder)).toEqual(['study.log']);
      }));

  it('needs no right to write for reading', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      writeFileSync(path, `${line(0)}\n`);
      chmodSync(path, 0o444);
      expect(read(new JournalFileBackend(path))).toEqual([line(0)]);
      expect(readdirSync(folder)).toEqual(['study.log']);
    }));
});

describe('the lock', () => {
  it.each(['symlink', 'open'] as const)('(%s) left by a dead worker is broken after its grace period', (kind) =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const logger = recordingLogger();
      const backend = new JournalFileBackend(path, { logger, lock: { kind, graceMs: 20 } });
      if (kind === 'symlink') symlinkSync(path, `${path}.lock`);
      else writeFileSync(`${path}.lock`, '');
      await backend.appendLines([line(0)]);
      expect(read(backend)).toEqual([line(0)]);
      expect(logger.warnings).toEqual([
        expect.stringMatching(/breaking .*study.log.lock: nothing has been written for 20 ms/),
      ]);
      expect(readdirSync(folder)).toEqual(['study.log']);
    }),
  );

  it("is Optuna's: a link to the journal, gone after the work, also where that fails", () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const lock = new JournalFileLock(path, recordingLogger(), { kind: 'symlink' });
      expect(await lock.hold(async () => readlinkSync(`${path}.lock`))).toBe(path);
      const fail = async () => {
        throw new Error('no');
      };
      await expect(lock.hold(fail)).rejects.toThrow('no');
      expect(readdirSync(folder)).toEqual([]);
    }));

  it('that was taken away while it was held is an error', () =>
    inTemporaryFolder(async (folder) => {
      const lock = new JournalFileLock(join(folder, 'study.log'), recordingLogger());
      await expect(lock.hold(async () => unlinkSync(join(folder, 'study.log.lock')))).rejects.toThrow(
        expect.objectContaining({ code: 'LOCK_LOST' }) as Error,
      );
    }));

  it('is waited for without keeping the event loop', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const backend = new JournalFileBackend(path);
      symlinkSync(path, `${path}.lock`);
      const events: string[] = [];
      const appended = backend.appendLines([line(0)]).then(() => events.push('appended'));
      await new Promise((resolve) => setImmediate(resolve));
      events.push('turn');
      unlinkSync(`${path}.lock`);
      await appended;
      expect(events).toEqual(['turn', 'appended']);
      expect(read(backend)).toEqual([line(0)]);
    }));

  it('refuses a grace period of nothing', () => {
    expect(() => new JournalFileBackend('x', { lock: { graceMs: 0 } })).toThrow(/graceMs must be a number above 0/);
  });

  it('keeps three processes apart', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'study.log');
      const storage = new JournalStorage(new JournalFileBackend(path));
      await createStudy({ studyName: 's', storage });
      const worker = fileURLToPath(new URL('../testing/worker.ts', import.meta.url));
      const run = () => promisify(execFile)(process.execPath, ['--import', 'tsx', worker, path, '12']);
      await Promise.all([run(), run(), run()]);

      const study = await loadStudy({ storage });
      expect(study.trials).toHaveLength(36);
      expect(study.trials.map(({ number }) => number)).toEqual(Array.from({ length: 36 }, (_, i) => i));
      for (const { state, value, params, userAttrs, intermediateValues } of study.trials) {
        expect(state).toBe('COMPLETE');
        expect(value).toBe(params['x']);
        expect([...intermediateValues.values()]).toEqual([params['x']]);
        expect(userAttrs['pid']).toBeTypeOf('number');
      }
      expect(new Set(study.trials.map(({ userAttrs }) => userAttrs['pid'])).size).toBe(3);
      expect(readdirSync(folder)).toEqual(['study.log']);
    }));
});
