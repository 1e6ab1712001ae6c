import { type Distribution } from '../distribution/distribution';
import { type JsonValue } from '../json-value';
import { type Direction } from '../study/direction';
import { type FinishedState } from '../trial/frozen-trial';
import { type TrialTemplate } from './storage';

/** Everything that can happen to studies, one change each; replaying them in order gives the state of a storage. */
export type Operation =
  | { kind: 'create-study'; name: string; directions: readonly Direction[] }
  | { kind: 'delete-study'; studyId: number }
  | { kind: 'set-study-user-attr'; studyId: number; key: string; value: JsonValue }
  | { kind: 'set-study-system-attr'; studyId: number; key: string; value: JsonValue }
  | {
      kind: 'create-trial';
      studyId: number;
      template: TrialTemplate;
      /** Makes none where the study has so many already, retries aside. */
      atMost?: number;
    }
  | { kind: 'set-param'; trialId: number; name: string; internalValue: number; distribution: Distribution }
  /** A parameter of another program that this package can't hold. */
  | { kind: 'set-unreadable-param'; trialId: number; name: string; problem: string }
  | { kind: 'start-trial'; trialId: number; datetimeStart: Date }
  | { kind: 'requeue-trial'; trialId: number }
  | {
      kind: 'finish-trial';
      trialId: number;
      state: FinishedState;
      values?: readonly number[];
      datetimeComplete: Date;
      /** A trial that goes into the queue if this operation, and not another worker's, is what ends this one. */
      retry?: TrialTemplate;
    }
  | { kind: 'set-intermediate-value'; trialId: number; step: number; value: number }
  | { kind: 'set-trial-user-attr'; trialId: number; key: string; value: JsonValue }
  | { kind: 'set-trial-system-attr'; trialId: number; key: string; value: JsonValue }
  | { kind: 'discard-trials' };
