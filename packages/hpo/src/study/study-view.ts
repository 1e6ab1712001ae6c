import { type Storage } from '../storage/storage';
import { type FrozenTrial, type TrialState } from '../trial/frozen-trial';
import { type Direction } from './direction';
import { type Logger } from './logger';

/** What samplers and pruners see of a study. */
export interface StudyView {
  readonly name: string;
  readonly id: number;
  readonly direction: Direction;
  readonly storage: Storage;
  readonly logger: Logger;
  /** Trials by number; with `states`, those in one of them. */
  getTrials(states?: readonly TrialState[]): readonly FrozenTrial[];
  /** Ends the running `optimize`, if there is one, after the trials that are under way. */
  requestStop(): void;
}
