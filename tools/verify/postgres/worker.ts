// A worker of a storm: node ... worker.ts URL STUDY TRIALS STEPS FOLDER
// Each trial is a few steps of gradient descent whose state is a checkpoint file after every step.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createStudy, NopPruner, PerTrialSampler, TPESampler } from '@qlora-js/hpo';
import { openStorage } from '@qlora-js/finetune/node';

const [url, studyName, trials, steps, folder] = process.argv.slice(2) as [string, string, string, string, string];
/** As short as a storm on a loaded machine allows. */
const heartbeat = { intervalMs: 1000, graceMs: 8000 };
const { storage, close } = await openStorage(url, { heartbeat });
const study = await createStudy({
  studyName,
  storage,
  loadIfExists: true,
  sampler: new PerTrialSampler(1, (seed) => new TPESampler({ seed })),
  pruner: new NopPruner(),
});
await study.optimize(
  async (trial) => {
    const rate = trial.suggestFloat('rate', 1e-3, 1, { log: true });
    const momentum = trial.suggestFloat('momentum', 0, 0.9);
    trial.suggestCategorical('kind', ['a', 'b']);
    const repeated = trial.systemAttrs['retry_history'];
    const origin = Array.isArray(repeated) ? Number(repeated[0]) : trial.number;
    const checkpoint = join(folder, `trial-${origin}.json`);
    let state = { step: 0, x: 1, velocity: 0 };
    if (existsSync(checkpoint)) state = JSON.parse(readFileSync(checkpoint, 'utf8')) as typeof state;
    trial.setUserAttr('began_at', state.step);
    trial.setUserAttr('pid', process.pid);
    for (; state.step < Number(steps); state.step++) {
      state.velocity = momentum * state.velocity - rate * 2 * (state.x - 0.25);
      state.x += state.velocity;
      // So long that a worker is in the middle of a trial most of the time.
      await delay(100);
      trial.report((state.x - 0.25) ** 2, state.step);
      writeFileSync(`${checkpoint}.${process.pid}`, JSON.stringify({ ...state, step: state.step + 1 }));
      renameSync(`${checkpoint}.${process.pid}`, checkpoint);
    }
    return (state.x - 0.25) ** 2;
  },
  { maxTrials: Number(trials) },
);
await close();
