import { type Direction } from '../../study/direction';
import { type TrialState } from '../../trial/frozen-trial';

/** op_code of a journal record. Source: optuna.storages.journal._storage.JournalOperation. */
export const opCodes = {
  createStudy: 0,
  deleteStudy: 1,
  setStudyUserAttr: 2,
  setStudySystemAttr: 3,
  createTrial: 4,
  setTrialParam: 5,
  setTrialStateValues: 6,
  setTrialIntermediateValue: 7,
  setTrialUserAttr: 8,
  setTrialSystemAttr: 9,
  discardTrials: 10,
} as const;

/** Source: optuna.trial.TrialState. */
export const stateCodes: Readonly<Record<TrialState, number>> = {
  RUNNING: 0,
  COMPLETE: 1,
  PRUNED: 2,
  FAIL: 3,
  WAITING: 4,
};

/** Source: optuna.study.StudyDirection. */
export const directionCodes: Readonly<Record<Direction, number>> = { minimize: 1, maximize: 2 };
