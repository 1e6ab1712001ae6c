// A worker of its own process on a journal: node --import tsx worker.ts JOURNAL TRIALS
import { JournalFileBackend } from '../node/journal-file-backend';
import { JournalStorage } from '../storage/journal/journal-storage';
import { loadStudy } from '../study/create-study';

const [path, trials] = process.argv.slice(2);
const study = await loadStudy({ storage: new JournalStorage(new JournalFileBackend(path!)) });
await study.optimize(
  async (trial) => {
    const x = trial.suggestFloat('x', 0, 1);
    trial.setUserAttr('pid', process.pid);
    trial.report(x, 0);
    await new Promise((resolve) => setImmediate(resolve));
    return x;
  },
  { nTrials: Number(trials) },
);
