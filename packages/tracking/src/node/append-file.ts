import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf, TrackingError } from '../errors';

/**
 * A file that one process appends whole records to. Writes go to the operating system at once, so a killed process loses
 * none; a write that fails half-way (full disk) is cut off again.
 */
export class AppendFile {
  private constructor(
    /** The file. */
    readonly path: string,
    private readonly descriptor: number,
  ) {}

  /**
   * Opens the file at its end, creating it and its folders.
   *
   * @param exclusive fail where the file exists
   * @throws TrackingError WRITE_FAILED with the path
   */
  static open(path: string, { exclusive = false } = {}): AppendFile {
    return failing(path, 'opened', () => {
      mkdirSync(dirname(path), { recursive: true });
      return new AppendFile(path, openSync(path, exclusive ? 'ax+' : 'a+'));
    });
  }

  /** @throws TrackingError WRITE_FAILED with the path; the file is then as long as before */
  append(bytes: Uint8Array): void {
    failing(this.path, 'written', () => {
      const before = fstatSync(this.descriptor).size;
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(this.descriptor, bytes, at, bytes.length - at);
      } catch (error) {
        try {
          ftruncateSync(this.descriptor, before);
        } catch {
          // What cannot be cut either (a pipe, a device) leaves the first failure as the one to report.
        }
        throw error;
      }
    });
  }

  /** True where the last byte is a line feed, or there is none. */
  endsWithLine(): boolean {
    const { size } = fstatSync(this.descriptor);
    const last = new Uint8Array(1);
    return size === 0 || (readSync(this.descriptor, last, 0, 1, size - 1) === 1 && last[0] === 0x0a);
  }

  /** Syncs to the disk and closes, also where the sync fails. */
  close(): void {
    failing(this.path, 'synced', () => {
      try {
        fsyncSync(this.descriptor);
      } finally {
        closeSync(this.descriptor);
      }
    });
  }
}

function failing<T>(path: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new TrackingError('WRITE_FAILED', `the file could not be ${what}: ${reasonOf(error)}`, {
      place: path,
      remedy: 'Check that the folder is writable and has space',
      cause: error,
    });
  }
}
