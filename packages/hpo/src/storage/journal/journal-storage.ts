import { checkOptions } from '../../check-options';
import { HpoError, shown } from '../../errors';
import { ownProperty } from '../../own-property';
import { type JsonValue } from '../../json-value';
import { parsePythonJson } from '../../python-json';
import { randomUuid } from '../../random/uuid';
import { Ledger } from '../ledger';
import { type Operation } from '../operation';
import { type HeartbeatOptions, type Outcome, ReplicaStorage } from '../replica-storage';
import { type JournalBackend } from './backend';
import { decodeRecord } from './decode';
import { encodeRecord } from './encode';

/** System attribute with the milliseconds since 1970 at which a trial's worker last said that it lives. */
const heartbeatKey = 'heartbeat';

/**
 * Studies as Optuna's journal: one JSON line per change, shared by any number of workers in TypeScript and Python.
 * Source: optuna.storages.JournalStorage.
 *
 * Throws HpoError `CORRUPT_JOURNAL` with the line where the journal is not what it should be; a last line that is not
 * yet JSON is left for later, as Optuna does.
 */
export class JournalStorage extends ReplicaStorage {
  protected override readonly ledger = new Ledger();
  /** Tells our records from other workers'. */
  private readonly workerId = `${randomUuid()}-0`;
  private linesRead = 0;

  constructor(
    private readonly backend: JournalBackend,
    { heartbeat, ...rest }: { heartbeat?: HeartbeatOptions } = {},
  ) {
    checkOptions('JournalStorage', rest, []);
    super(heartbeat);
  }

  /** A system attribute with the time, which Python's workers pass over. */
  override async recordHeartbeat(trialId: number): Promise<void> {
    this.setTrialSystemAttr(trialId, heartbeatKey, Date.now());
    await this.refresh();
  }

  /** By the clock of this machine: workers on several should have theirs set alike, to within the grace period. */
  protected override async findStale(studyId: number, graceMs: number): Promise<readonly number[]> {
    const limit = Date.now() - graceMs;
    return this.ledger
      .trials(studyId, ['RUNNING'])
      .filter(({ systemAttrs }) => {
        const last = ownProperty(systemAttrs, heartbeatKey);
        return typeof last === 'number' && last < limit;
      })
      .map(({ id }) => id);
  }

  protected override async exchange(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    const { unreadable } = await this.replay();
    if (operations.length === 0) return [];
    // One more line would put the unreadable one in the middle, where no reader forgives it.
    if (unreadable !== undefined) throw unreadable;
    await this.backend.appendLines(operations.map((operation) => encodeRecord(operation, this.workerId)));
    const { own } = await this.replay();
    if (own.length !== operations.length) {
      const { place } = this.backend;
      throw new HpoError('CORRUPT_JOURNAL', `${place}: a record just written is not there when read back`, { place });
    }
    return Promise.all(operations.map((operation, i) => this.withRetry(operation, own[i]!)));
  }

  /** Puts the trial that repeats a failed one in the queue, now that it is certain who failed it. */
  private async withRetry(operation: Operation, outcome: Outcome): Promise<Outcome> {
    if (operation.kind !== 'finish-trial' || operation.retry === undefined || 'error' in outcome) return outcome;
    const studyId = this.ledger.studyIdOf(operation.trialId);
    await this.backend.appendLines([
      encodeRecord({ kind: 'create-trial', studyId, template: operation.retry }, this.workerId),
    ]);
    await this.replay();
    return outcome;
  }

  /** Applies the lines written since the last time; says what came of our own, and which last line is not JSON. */
  private async replay(): Promise<{ own: Outcome[]; unreadable?: HpoError }> {
    const own: Outcome[] = [];
    let unreadable: HpoError | undefined;
    for (const line of await this.backend.readLines(this.linesRead)) {
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
      let outcome: Outcome;
      try {
        outcome = { result: this.ledger.apply(operation) };
      } catch (error) {
        // What another worker tried in vain is no concern of ours.
        outcome = { error };
      }
      if (workerId === this.workerId) own.push(outcome);
      this.linesRead++;
    }
    return { own, unreadable };
  }
}
