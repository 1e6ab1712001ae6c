// Writes a study of everything this package can write: node --import tsx tools/verify/python/write-study.ts JOURNAL
import { createStudy, JournalStorage, MedianPruner, TPESampler, TrialPruned } from '../../../packages/hpo/src';
import { JournalFileBackend } from '../../../packages/hpo/src/node';

const study = await createStudy({
  studyName: 'from TypeScript ☕',
  direction: 'maximize',
  storage: new JournalStorage(new JournalFileBackend(process.argv[2]!)),
  sampler: new TPESampler({ seed: 5, nStartupTrials: 4 }),
  pruner: new MedianPruner({ nStartupTrials: 3 }),
  logger: { info: () => undefined, warn: () => undefined },
});
await study.setUserAttr('nested', { list: [1, 0.5, null, true, 'text "quoted"\n'], nan: NaN });
await study.enqueueTrial({ learning_rate: 2e-4, kind: null }, { userAttrs: { by: 'hand' } });
await study.optimize(
  (trial) => {
    const x = trial.suggestFloat('learning_rate', 1e-5, 5e-4, { log: true });
    const k = trial.suggestInt('warmup_steps', 100, 500, { step: 50 });
    trial.suggestFloat('stepped', 0, 1, { step: 0.1 });
    trial.suggestFloat('whole bounds', 0, 3);
    trial.suggestInt('log int', 1, 1000, { log: true });
    trial.suggestCategorical('kind', ['a', null, true, 2.5, 7, '☕']);
    trial.suggestCategorical('one', ['only']);
    trial.setUserAttr('n', trial.number);
    for (let step = 0; step < 4; step++) {
      trial.report(trial.number === 2 && step === 1 ? NaN : -k * (step + 1) + x, step);
      if (trial.shouldPrune()) throw new TrialPruned();
    }
    if (trial.number === 3) throw new RangeError('boom');
    if (trial.number === 4) return NaN;
    if (trial.number === 5) return Infinity;
    trial.setConstraint('limit', trial.number === 6 ? 1 : -1);
    return -k + x;
  },
  { nTrials: 24, catch: RangeError },
);
const left = await study.ask();
left.suggestFloat('learning_rate', 1e-5, 5e-4, { log: true });
await study.failRunningTrials({ retry: true });
await study.ask();
