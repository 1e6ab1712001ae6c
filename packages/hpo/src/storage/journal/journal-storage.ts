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

/** Whether an operation may only be written where the state is as it takes it to be. */
function isConditional(operation: Operation): boolean {
  if (operation.kind === 'create-trial') return operation.atMost !== undefined;
  return operation.kind === 'finish-trial' && operation.retry !== undefined;
}

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
      .filter(({ systemAttrs, datetimeStart }) => {
        const last = ownProperty(systemAttrs, heartbeatKey);
        // One that has just been taken up from the queue may have the last heartbeat of its worker before.
        return typeof last === 'number' && Math.max(last, datetimeStart?.getTime() ?? 0) < limit;
      })
      .map(({ id }) => id);
  }

  protected override async findUnheard(studyId: number): Promise<readonly number[]> {
    return this.ledger
      .trials(studyId, ['RUNNING'])
      .filter(({ systemAttrs }) => ownProperty(systemAttrs, heartbeatKey) === undefined)
      .map(({ id }) => id);
  }

  protected override async exchange(operations: readonly Operation[]): Promise<readonly Outcome[]> {
    const { unreadable } = await this.replay();
    if (operations.length === 0) return [];
    // One more line would put the unreadable one in the middle, where no reader forgives it.
    if (unreadable !== undefined) throw unreadable;
    const { backend } = this;
    // What hangs on the state must still be so when the record is there.
    if (operations.some(isConditional)) {
      return backend.exclusively(async (append) => {
        await this.replay();
        return this.append(operations, append);
      });
    }
    return this.append(operations, async (lines) => backend.appendLines(lines));
  }

  /** Appends what the state allows, and says what came of it. */
  private async append(
    operations: readonly Operation[],
    append: (lines: readonly string[]) => Promise<void>,
  ): Promise<Outcome[]> {
    const refused = new Map<Operation, Outcome>();
    const made = new Map<number, number>();
    const records: Operation[] = [];
    const first = new Map<Operation, number>();
    for (const operation of operations) {
      const refusal = this.refusal(operation, made);
      if (refusal !== undefined) {
        refused.set(operation, refusal);
        continue;
      }
      first.set(operation, records.length);
      records.push(operation);
      // In one append: whoever is killed has done both or nothing.
      if (operation.kind === 'finish-trial' && operation.retry !== undefined) {
        const studyId = this.ledger.studyIdOf(operation.trialId);
        records.push({ kind: 'create-trial', studyId, template: operation.retry });
      }
    }
    if (records.length > 0) await append(records.map((record) => encodeRecord(record, this.workerId)));
    const { own } = await this.replay();
    if (own.length !== records.length) {
      const { place } = this.backend;
      throw new HpoError('CORRUPT_JOURNAL', `${place}: a record just written is not there when read back`, { place });
    }
    return operations.map((operation) => refused.get(operation) ?? own[first.get(operation)!]!);
  }

  /** What comes of an operation that hangs on the state and that the state does not allow. */
  private refusal(operation: Operation, made: Map<number, number>): Outcome | undefined {
    if (operation.kind === 'create-trial' && operation.atMost !== undefined) {
      const { studyId, atMost } = operation;
      const taken = made.get(studyId) ?? 0;
      if (!this.ledger.hasRoom(studyId, atMost - taken)) return { result: undefined };
      made.set(studyId, taken + 1);
    } else if (operation.kind === 'finish-trial' && operation.retry !== undefined) {
      try {
        this.ledger.preview(this.ledger.trial(operation.trialId), operation);
      } catch (error) {
        return { error };
      }
    }
    return undefined;
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
