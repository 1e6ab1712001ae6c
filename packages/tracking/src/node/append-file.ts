import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { TrackingError } from '../errors';

/**
 * A file that one process appends whole records to. Writes go to the operating system at once, so a killed process loses
 * none; a write that fails half-way (full disk) is cut off again.
 */
export class AppendFile {
  private constructor(
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

  /** Runs what writes the file's beginning, and closes the file where that fails. */
  begin(write: () => void): this {
    try {
      write();
      return this;
    } catch (error) {
      closeSync(this.descriptor);
      throw error;
    }
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
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${path} could not be ${what}: ${reason}. Check that the folder is writable and has space.`;
    throw new TrackingError('WRITE_FAILED', message, path, { cause: error });
  }
}
