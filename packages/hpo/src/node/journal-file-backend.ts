import { checkOptions } from '../check-options';
import { closeSync, existsSync, fdatasync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { HpoError } from '../errors';
import { type JournalBackend } from '../storage/journal/backend';
import { defaultLogger, type Logger } from '../study/logger';
import { JournalFileLock, type JournalFileLockOptions } from './journal-file-lock';

export interface JournalFileBackendOptions {
  lock?: JournalFileLockOptions;
  /** Default: warnings to console.warn. */
  logger?: Logger;
}

const chunkBytes = 1 << 20;
/** Longer than any record has reason to be; keeps a file without line ends from filling the memory. */
const lineLimit = 64 << 20;
const lineFeed = 10;
/** Waits for the disk without keeping the event loop. */
const synced = promisify(fdatasync);

/**
 * A journal in a file, readable and writable by Optuna's JournalFileBackend at the same time.
 * Source: optuna.storages.journal.JournalFileBackend.
 *
 * Reading takes no lock and leaves an unfinished last line for later. Writing takes the lock, cuts off what a worker
 * that died while writing left behind (no reader has counted it, and it would spoil the next line), appends and syncs;
 * where that fails, the file is as it was.
 */
export class JournalFileBackend implements JournalBackend {
  readonly place: string;
  private readonly lock: JournalFileLock;
  private readonly logger: Logger;
  /** Where each line begins that has been read. */
  private readonly offsets = [0];

  /** Makes the file where there is none. Throws HpoError `JOURNAL_NOT_WRITABLE`. */
  constructor(path: string, options: JournalFileBackendOptions = {}) {
    checkOptions('JournalFileBackend', options, ['lock', 'logger']);
    const { lock, logger = defaultLogger } = options;
    this.place = path;
    this.logger = logger;
    this.lock = new JournalFileLock(path, logger, lock);
    if (!existsSync(path)) closeSync(this.open('a'));
  }

  *readLines(from: number): Generator<string> {
    const file = this.open('r');
    try {
      // What lies further on may have been cut off and written anew.
      this.offsets.length = from + 1;
      let offset = this.offsets[from]!;
      const { size } = fstatSync(file);
      if (size < offset) {
        throw this.corrupt(`has ${size} bytes, fewer than the ${offset} that were read from it: was it replaced?`);
      }
      const decoder = new TextDecoder('utf-8', { fatal: true });
      let rest = Buffer.alloc(0);
      let position = offset;
      while (position < size) {
        const chunk = Buffer.alloc(Math.min(chunkBytes, size - position));
        const read = readSync(file, chunk, 0, chunk.length, position);
        if (read === 0) return;
        position += read;
        rest = Buffer.concat([rest, chunk.subarray(0, read)]);
        let start = 0;
        for (let end; (end = rest.indexOf(lineFeed, start)) >= 0; start = end + 1) {
          offset += end + 1 - start;
          this.offsets.push(offset);
          yield this.decode(decoder, rest.subarray(start, end));
        }
        rest = rest.subarray(start);
        if (rest.length > lineLimit) {
          throw this.corrupt(`line ${this.offsets.length} is longer than ${lineLimit} bytes`);
        }
      }
    } finally {
      closeSync(file);
    }
  }

  async appendLines(lines: readonly string[]): Promise<void> {
    await this.lock.hold(() => this.append(lines));
  }

  exclusively<T>(work: (append: (lines: readonly string[]) => Promise<void>) => Promise<T>): Promise<T> {
    return this.lock.hold(() => work((lines) => this.append(lines)));
  }

  /** Appends lines; the lock is held. */
  private async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    const file = this.open('a+');
    try {
      const end = this.cutUnfinishedLine(file);
      try {
        for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
        await synced(file);
      } catch (cause) {
        this.undo(file, end);
        throw this.notWritable(cause);
      }
    } finally {
      closeSync(file);
    }
  }

  /** Returns the size of the file, which then ends with a line's end. */
  private cutUnfinishedLine(file: number): number {
    const { size } = fstatSync(file);
    let end = size;
    // Nearly always the last byte is a line's end.
    for (let length = 1; end > 0; length = chunkBytes) {
      const chunk = Buffer.alloc(Math.min(length, end));
      readSync(file, chunk, 0, chunk.length, end - chunk.length);
      const last = chunk.lastIndexOf(lineFeed);
      if (last >= 0) {
        end += last + 1 - chunk.length;
        break;
      }
      end -= chunk.length;
    }
    if (end < size) {
      ftruncateSync(file, end);
      this.logger.warn(`${this.place}: dropped ${size - end} bytes of a record that a worker left unfinished`);
    }
    return end;
  }

  /** Takes a record back that was written in part; where even that fails, the next writer cuts it off. */
  private undo(file: number, end: number): void {
    try {
      ftruncateSync(file, end);
    } catch {
      this.logger.warn(`${this.place} may end with an unfinished record`);
    }
  }

  private decode(decoder: TextDecoder, line: Uint8Array): string {
    try {
      return decoder.decode(line);
    } catch {
      throw this.corrupt(`line ${this.offsets.length - 1} is not UTF-8`);
    }
  }

  private open(flags: 'r' | 'a' | 'a+'): number {
    try {
      return openSync(this.place, flags);
    } catch (cause) {
      if (flags !== 'r') throw this.notWritable(cause);
      throw new HpoError('JOURNAL_NOT_READABLE', `can't read ${this.place}: ${String(cause)}`, {
        place: this.place,
        cause,
      });
    }
  }

  private notWritable(cause: unknown): HpoError {
    return new HpoError('JOURNAL_NOT_WRITABLE', `can't write to ${this.place}: ${String(cause)}`, {
      place: this.place,
      cause,
      remedy: 'Make room, or choose a file in a folder that can be written to',
    });
  }

  private corrupt(problem: string): HpoError {
    return new HpoError('CORRUPT_JOURNAL', `${this.place} ${problem}`, { place: this.place });
  }
}
