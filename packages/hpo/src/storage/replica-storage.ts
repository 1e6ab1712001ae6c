import { type Distribution } from '../distribution/distribution';
import { checkAtLeast, checkOptions } from '../check-options';
import { HpoError } from '../errors';
import { type JsonValue } from '../json-value';
import { type Direction } from '../study/direction';
import { type FrozenTrial, isFinished, type TrialState } from '../trial/frozen-trial';
import { type Ledger, type TrialOperation } from './ledger';
import { type Operation } from './operation';
import { type FinishedTrial, type FrozenStudy, startedTrial, type Storage, type TrialTemplate } from './storage';

/** What became of one operation: what `Ledger.apply` returns, or the error that it throws. */
export type Outcome = { readonly result: number | undefined } | { readonly error: unknown };

/** How workers say that they live. */
export interface HeartbeatOptions {
  /** A running trial's worker says so once in so many milliseconds. Default: 60,000. */
  intervalMs?: number;
  /** A running trial of which nothing was heard for so long is taken to be left by a dead worker. Default: twice the interval. */
  graceMs?: number;
}

interface Pending {
  readonly operation: Operation;
  /** For a caller that waits. */
  readonly settle?: (outcome: Outcome) => void;
}

/**
 * A storage behind a file or a network, with a local copy. What a trial says about itself is seen in the copy at once
 * and is sent in the background, several changes together; what starts or ends something, and `refresh`, return once
 * everything said before is lasting. A change that the others' changes have made impossible (a trial that another
 * worker has ended) is thrown by the next call on that trial. Where the store can't be reached, what was said is kept,
 * the waiting call throws, and the next one tries again.
 */
export abstract class ReplicaStorage implements Storage {
  /** What is known to be in the store. */
  protected abstract readonly ledger: Ledger;
  private outbox: Pending[] = [];
  /** Trials with changes that are still on their way. */
  private readonly overlay = new Map<number, FrozenTrial>();
  private readonly failures = new Map<number, unknown>();
  private turn: Promise<void> = Promise.resolve();
  private sending = false;
  /** How workers say that they live; undefined where they don't. */
  readonly heartbeat: Required<HeartbeatOptions> | undefined;

  constructor(heartbeat?: HeartbeatOptions) {
    if (heartbeat === undefined) return;
    checkOptions('heartbeat', heartbeat, ['intervalMs', 'graceMs']);
    const { intervalMs = 60_000, graceMs = 2 * intervalMs } = heartbeat;
    this.heartbeat = {
      intervalMs: checkAtLeast('intervalMs', intervalMs, 1),
      graceMs: checkAtLeast('graceMs', graceMs, intervalMs),
    };
  }

  /** Says that a running trial's worker lives. */
  abstract recordHeartbeat(trialId: number): Promise<void>;

  /** Ids of a study's running trials that were silent for so long. A trial without any heartbeat is not one. */
  protected abstract findStale(studyId: number, graceMs: number): Promise<readonly number[]>;

  async getStaleTrials(studyId: number): Promise<readonly FrozenTrial[]> {
    if (this.heartbeat === undefined) return [];
    await this.refresh();
    const ids = await this.findStale(studyId, this.heartbeat.graceMs);
    return ids.map((id) => this.getTrial(id)).filter(({ state }) => state === 'RUNNING');
  }

  /** Ids of a study's running trials without any heartbeat. */
  protected abstract findUnheard(studyId: number): Promise<readonly number[]>;

  async getUnheardTrials(studyId: number): Promise<readonly FrozenTrial[]> {
    if (this.heartbeat === undefined) return [];
    const limit = Date.now() - this.heartbeat.graceMs;
    await this.refresh();
    const ids = await this.findUnheard(studyId);
    return ids
      .map((id) => this.getTrial(id))
      .filter(({ state, datetimeStart }) => state === 'RUNNING' && (datetimeStart?.getTime() ?? 0) < limit);
  }

  async watch(_studyId: number): Promise<void> {
    await this.refresh();
  }

  /** Makes operations lasting, in order, and brings what other workers wrote into the ledger. Rejects if it did neither. */
  protected abstract exchange(operations: readonly Operation[]): Promise<readonly Outcome[]>;

  async createStudy({ name, directions }: { name: string; directions: readonly Direction[] }): Promise<number> {
    return (await this.submit({ kind: 'create-study', name, directions }))!;
  }

  async deleteStudy(studyId: number): Promise<void> {
    await this.submit({ kind: 'delete-study', studyId });
  }

  async setStudyUserAttr(studyId: number, key: string, value: JsonValue): Promise<void> {
    await this.submit({ kind: 'set-study-user-attr', studyId, key, value });
  }

  async setStudySystemAttr(studyId: number, key: string, value: JsonValue): Promise<void> {
    await this.submit({ kind: 'set-study-system-attr', studyId, key, value });
  }

  async createTrial(studyId: number, template?: TrialTemplate): Promise<number> {
    return (await this.submit({ kind: 'create-trial', studyId, template: template ?? startedTrial() }))!;
  }

  async createTrialWithin(studyId: number, atMost: number, template?: TrialTemplate): Promise<number | undefined> {
    return this.submit({ kind: 'create-trial', studyId, template: template ?? startedTrial(), atMost });
  }

  async requeueTrial(trialId: number): Promise<void> {
    await this.submit({ kind: 'requeue-trial', trialId });
  }

  async claimTrial(trialId: number): Promise<boolean> {
    const { state, number } = this.getTrial(trialId);
    if (isFinished(state)) {
      throw new HpoError('FINISHED_TRIAL', `trial ${number} has already ended (${state}) and can't start`, {
        value: number,
      });
    }
    if (state === 'RUNNING') return false;
    return (await this.submit({ kind: 'start-trial', trialId, datetimeStart: new Date() })) === trialId;
  }

  async finishTrial(trialId: number, { state, value, retry }: FinishedTrial): Promise<void> {
    const values = value === undefined ? undefined : [value];
    await this.submit({ kind: 'finish-trial', trialId, state, values, datetimeComplete: new Date(), retry });
    this.failures.delete(trialId);
  }

  async refresh(): Promise<void> {
    await this.flush();
  }

  getStudies(): readonly FrozenStudy[] {
    return this.ledger.studies();
  }

  getStudy(studyId: number): FrozenStudy {
    return this.ledger.study(studyId);
  }

  getTrial(trialId: number): FrozenTrial {
    return this.overlay.get(trialId) ?? this.ledger.trial(trialId);
  }

  getTrials(studyId: number, states?: readonly TrialState[]): readonly FrozenTrial[] {
    const trials = this.ledger.trials(studyId, states);
    // A trial with changes on their way has not ended.
    if (this.overlay.size === 0 || (states !== undefined && states.every(isFinished))) return trials;
    return trials.map((trial) => (isFinished(trial.state) ? trial : (this.overlay.get(trial.id) ?? trial)));
  }

  setTrialParam(trialId: number, name: string, internalValue: number, distribution: Distribution): void {
    this.say({ kind: 'set-param', trialId, name, internalValue, distribution });
  }

  setTrialIntermediateValue(trialId: number, step: number, value: number): void {
    this.say({ kind: 'set-intermediate-value', trialId, step, value });
  }

  setTrialUserAttr(trialId: number, key: string, value: JsonValue): void {
    this.say({ kind: 'set-trial-user-attr', trialId, key, value });
  }

  setTrialSystemAttr(trialId: number, key: string, value: JsonValue): void {
    this.say({ kind: 'set-trial-system-attr', trialId, key, value });
  }

  /** Applies a change of a trial to the local copy, and sends it in the background. */
  private say(operation: TrialOperation): void {
    const failure = this.failures.get(operation.trialId);
    if (failure !== undefined) throw failure as Error;
    this.overlay.set(operation.trialId, this.ledger.preview(this.getTrial(operation.trialId), operation));
    this.outbox.push({ operation });
    if (this.sending) return;
    this.sending = true;
    // Later in this turn of the event loop, so that changes made together go together. What fails stays in the outbox,
    // and the next call that waits says so.
    setTimeout(() => {
      this.sending = false;
      this.flush().catch(() => undefined);
    }, 0);
  }

  private async submit(operation: Operation): Promise<number | undefined> {
    let outcome: Outcome | undefined;
    const pending: Pending = { operation, settle: (it) => (outcome = it) };
    this.outbox.push(pending);
    try {
      await this.flush();
    } catch (error) {
      // The caller is told, and decides whether to ask again.
      this.outbox = this.outbox.filter((other) => other !== pending);
      throw error;
    }
    if (outcome !== undefined && 'error' in outcome) throw outcome.error;
    return outcome?.result;
  }

  /** Sends what is in the outbox, after what is on its way already. */
  private flush(): Promise<void> {
    const done = this.turn.then(() => this.send());
    this.turn = done.catch(() => undefined);
    return done;
  }

  private async send(): Promise<void> {
    const batch = this.outbox.slice();
    const outcomes = await this.exchange(batch.map(({ operation }) => operation));
    this.outbox = this.outbox.filter((pending) => !batch.includes(pending));
    for (const [i, { operation, settle }] of batch.entries()) {
      const outcome = outcomes[i]!;
      if (settle !== undefined) settle(outcome);
      else if ('error' in outcome && 'trialId' in operation) this.failures.set(operation.trialId, outcome.error);
    }
    const unsent = new Set(
      this.outbox.map(({ operation }) => ('trialId' in operation ? operation.trialId : undefined)),
    );
    for (const trialId of this.overlay.keys()) if (!unsent.has(trialId)) this.overlay.delete(trialId);
  }
}
