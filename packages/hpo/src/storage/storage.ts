import { ReportedValues } from '../trial/reported-values';
import { type Distribution } from '../distribution/distribution';
import { type JsonValue } from '../json-value';
import { type Direction } from '../study/direction';
import { type FinishedState, type FrozenTrial, type TrialState } from '../trial/frozen-trial';

export type Awaitable<T> = T | Promise<T>;

/** What a storage knows of a study at one moment. */
export interface FrozenStudy {
  readonly id: number;
  readonly name: string;
  /** One a study that this package can optimise; files by Optuna may hold studies with more. */
  readonly directions: readonly Direction[];
  readonly userAttrs: Readonly<Record<string, JsonValue>>;
  readonly systemAttrs: Readonly<Record<string, JsonValue>>;
}

/** A trial that is stored whole, as enqueueing and adding do. */
export type TrialTemplate = Omit<FrozenTrial, 'id' | 'number'>;

/** How a trial ends. */
export interface FinishedTrial {
  state: FinishedState;
  value?: number;
  /** A trial that goes into the queue if this call, and not another worker's, is what ends this one. */
  retry?: TrialTemplate;
}

/** A template; what is not said is empty. */
export function trialTemplate(parts: Partial<TrialTemplate> & Pick<TrialTemplate, 'state'>): TrialTemplate {
  return {
    value: undefined,
    values: undefined,
    params: {},
    distributions: {},
    unreadableParams: {},
    intermediateValues: ReportedValues.of(),
    userAttrs: {},
    systemAttrs: {},
    datetimeStart: undefined,
    datetimeComplete: undefined,
    ...parts,
  };
}

/** A trial that starts now. */
export function startedTrial(): TrialTemplate {
  return trialTemplate({ state: 'RUNNING', datetimeStart: new Date() });
}

/** System attribute of a trial that repeats others: their numbers. Source: optuna.storages.RetryHeartbeatStaleTrialCallback. */
export const retryHistoryKey = 'retry_history';

/**
 * Where studies are kept. Source: optuna.storages.BaseStorage.
 *
 * What needs the store's own answer (a new number, a claim that another worker may have made) may take its time and
 * return a promise; the study awaits it. What a trial says about itself while its objective runs, and every look at
 * what is known, is immediate, because `trial.suggestFloat` and `trial.shouldPrune` are: a storage behind a network
 * keeps a local copy for these, sends what was written in the background, and makes both sides meet in `refresh`.
 */
export interface Storage {
  /** Returns the new study's id. Throws HpoError `DUPLICATED_STUDY`. */
  createStudy(study: { name: string; directions: readonly Direction[] }): Awaitable<number>;
  /** Takes the study and its trials away. Throws HpoError `UNKNOWN_STUDY`. */
  deleteStudy(studyId: number): Awaitable<void>;
  setStudyUserAttr(studyId: number, key: string, value: JsonValue): Awaitable<void>;
  setStudySystemAttr(studyId: number, key: string, value: JsonValue): Awaitable<void>;
  /** Starts a trial, or stores the one given; returns its id. */
  createTrial(studyId: number, template?: TrialTemplate): Awaitable<number>;
  /**
   * The same, but undefined where the study has `atMost` trials already; those that repeat a failed one don't count. Of
   * several workers that ask at once for the last, one gets it.
   */
  createTrialWithin(studyId: number, atMost: number, template?: TrialTemplate): Awaitable<number | undefined>;
  /** Turns a WAITING trial into a RUNNING one; false where another worker was faster. */
  claimTrial(trialId: number): Awaitable<boolean>;
  /** Puts a RUNNING trial back into the queue, as it is. Throws HpoError `FINISHED_TRIAL`. */
  requeueTrial(trialId: number): Awaitable<void>;
  /** Ends a trial. Throws HpoError `FINISHED_TRIAL` where it has already ended. */
  finishTrial(trialId: number, end: FinishedTrial): Awaitable<void>;
  /** Keeps a study's trials in the local copy from now on, where there is one; brings it up to date. */
  watch?(studyId: number): Awaitable<void>;
  /** How workers say that they live; undefined where they don't. */
  readonly heartbeat?: { readonly intervalMs: number; readonly graceMs: number } | undefined;
  /** Says that a running trial's worker lives. */
  recordHeartbeat?(trialId: number): Awaitable<void>;
  /** A study's running trials whose workers have been silent for the grace period. */
  getStaleTrials?(studyId: number): Awaitable<readonly FrozenTrial[]>;
  /**
   * A study's running trials of which no heartbeat was ever heard, and that began before the grace period: a worker without
   * heartbeats may be at them, or none any more.
   */
  getUnheardTrials?(studyId: number): Awaitable<readonly FrozenTrial[]>;
  /** Sends what is still on its way and fetches what other workers wrote. */
  refresh(): Awaitable<void>;

  getStudies(): readonly FrozenStudy[];
  getStudy(studyId: number): FrozenStudy;
  getTrial(trialId: number): FrozenTrial;
  getTrials(studyId: number, states?: readonly TrialState[]): readonly FrozenTrial[];
  /** Throws HpoError `INCOMPATIBLE_DISTRIBUTION`, `FINISHED_TRIAL`. */
  setTrialParam(trialId: number, name: string, internalValue: number, distribution: Distribution): void;
  setTrialIntermediateValue(trialId: number, step: number, value: number): void;
  setTrialUserAttr(trialId: number, key: string, value: JsonValue): void;
  setTrialSystemAttr(trialId: number, key: string, value: JsonValue): void;
}
