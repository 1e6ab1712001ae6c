import { HpoError, shown } from '../../errors';
import { type JsonValue } from '../../json-value';
import { parsePythonJson } from '../../python-json';
import { randomUuid } from '../../random/uuid';
import { Ledger } from '../ledger';
import { type Operation } from '../operation';
import { OperationStorage } from '../operation-storage';
import { type JournalBackend } from './backend';
import { decodeRecord } from './decode';
import { encodeRecord } from './encode';

/**
 * Studies as Optuna's journal: one JSON line per change, shared by any number of workers in TypeScript and Python.
 * Source: optuna.storages.JournalStorage.
 *
 * Every change is lasting when its call returns. Throws HpoError `CORRUPT_JOURNAL` with the line where the journal is
 * not what it should be; a last line that is not yet JSON is left for later, as Optuna does.
 */
export class JournalStorage extends OperationStorage {
  private readonly backend: JournalBackend;
  /** Tells our records from other workers'. */
  private readonly workerId = `${randomUuid()}-0`;
  private readonly ledger = new Ledger();
  private linesRead = 0;

  constructor(backend: JournalBackend) {
    super();
    this.backend = backend;
    this.replay();
  }

  protected override upToDate(): Ledger {
    this.replay();
    return this.ledger;
  }

  protected override commit(operation: Operation): number | undefined {
    const { unreadable } = this.replay();
    // One more line would put the unreadable one in the middle, where no reader forgives it.
    if (unreadable !== undefined) throw unreadable;
    this.backend.appendLines([encodeRecord(operation, this.workerId)]);
    const { own } = this.replay();
    if (own === undefined) {
      const { place } = this.backend;
      throw new HpoError('CORRUPT_JOURNAL', `${place}: a record just written is not there when read back`, { place });
    }
    if ('error' in own) throw own.error;
    return own.result;
  }

  /** Applies the lines written since the last time; says what came of our own, and which last line is not JSON. */
  private replay(): { own?: { result: number | undefined } | { error: unknown }; unreadable?: HpoError } {
    let own: { result: number | undefined } | { error: unknown } | undefined;
    let unreadable: HpoError | undefined;
    for (const line of this.backend.readLines(this.linesRead)) {
      if (unreadable !== undefined) throw unreadable;
      const place = `${this.backend.place}, line ${this.linesRead + 1}`;
      let record: JsonValue;
      try {
        record = parsePythonJson(line);
      } catch (cause) {
        unreadable = new HpoError('CORRUPT_JOURNAL', `${place} is not JSON: ${shown(line)}`, {
          place,
          value: line,
          cause,
          remedy: 'Take the line out if it can be spared',
        });
        continue;
      }
      const { operation, workerId } = decodeRecord(record, place);
      try {
        const result = this.ledger.apply(operation);
        if (workerId === this.workerId) own = { result };
      } catch (error) {
        // What another worker tried in vain is no concern of ours.
        if (workerId === this.workerId) own = { error };
      }
      this.linesRead++;
    }
    return { own, unreadable };
  }
}
