import { describe, expect, it } from 'vitest';
import { createStudy, floatDistribution, HyperbandPruner, loadStudy, MedianPruner, PercentilePruner } from './index';
import { GridSampler, HpoError, InMemoryStorage, RandomSampler, SuccessiveHalvingPruner, TPESampler } from './index';
import {
  BruteForceSampler,
  copyStudy,
  createTrial,
  deleteStudy,
  getAllStudySummaries,
  getParamImportances,
} from './index';
import { maxTrialsCallback, PatientPruner, QMCSampler, ThresholdPruner } from './index';
import { JournalFileBackend } from './node';

/** As JavaScript passes it, without a check of types. */
const any = (options: object) => options as never;

describe('an option that there is none of', () => {
  const wrong = any({ n_trials: 1 });
  it.each<[string, () => unknown]>([
    ['createStudy', () => createStudy(wrong)],
    ['loadStudy', () => loadStudy(any({ storage: new InMemoryStorage(), n_trials: 1 }))],
    ['study.optimize', async () => (await createStudy()).optimize(() => 0, wrong)],
    ['study.tell', async () => (await createStudy()).tell(0, 1, wrong)],
    ['study.enqueueTrial', async () => (await createStudy()).enqueueTrial({}, wrong)],
    ['study.failRunningTrials', async () => (await createStudy()).failRunningTrials(wrong)],
    ['trial.suggestFloat', async () => (await (await createStudy()).ask()).suggestFloat('x', 0, 1, wrong)],
    ['trial.suggestInt', async () => (await (await createStudy()).ask()).suggestInt('x', 0, 1, wrong)],
    ['a distribution', () => floatDistribution(any({ low: 0, high: 1, n_trials: 1 }))],
    ['TPESampler', () => new TPESampler(wrong)],
    ['RandomSampler', () => new RandomSampler(wrong)],
    ['GridSampler', () => new GridSampler({ x: [1] }, wrong)],
    ['MedianPruner', () => new MedianPruner(wrong)],
    ['PercentilePruner', () => new PercentilePruner(any({ percentile: 5, n_trials: 1 }))],
    ['HyperbandPruner', () => new HyperbandPruner(wrong)],
    ['SuccessiveHalvingPruner', () => new SuccessiveHalvingPruner(wrong)],
    ['PatientPruner', () => new PatientPruner(undefined, any({ patience: 1, n_trials: 1 }))],
    ['ThresholdPruner', () => new ThresholdPruner(any({ lower: 1, n_trials: 1 }))],
    ['QMCSampler', () => new QMCSampler(wrong)],
    ['BruteForceSampler', () => new BruteForceSampler(wrong)],
    ['createTrial', () => createTrial(any({ value: 1, n_trials: 1 }))],
    ['copyStudy', () => copyStudy(wrong)],
    ['deleteStudy', () => deleteStudy(wrong)],
    ['getAllStudySummaries', () => getAllStudySummaries(wrong)],
    ['maxTrialsCallback', () => maxTrialsCallback(1, wrong)],
    ['getParamImportances', async () => getParamImportances(await createStudy(), wrong)],
    ['JournalFileBackend', () => new JournalFileBackend('/nowhere/study.log', wrong)],
  ])('is refused by %s', async (place, call) => {
    const error = await (async () => call())().catch((thrown: unknown) => thrown);
    expect(HpoError.isInstance(error) && error).toMatchObject({ code: 'INVALID_ARGUMENT', place, value: 'n_trials' });
  });

  it('is met with the name that was meant', async () => {
    const study = await createStudy();
    await expect(study.optimize(() => 0, any({ n_trials: 1 }))).rejects.toThrow(
      'study.optimize has no option "n_trials". It is called nTrials',
    );
    expect(study.trials).toHaveLength(0);
    expect(() => new TPESampler(any({ sed: 1 }))).toThrow(/Its options are seed, nStartupTrials/);
  });

  it('may also be no options at all', async () => {
    const study = await createStudy();
    for (const options of [10, null, 'x', [1]]) {
      await expect(study.optimize(() => 0, options as never)).rejects.toThrow(/options of study.optimize must be an/);
    }
  });
});
