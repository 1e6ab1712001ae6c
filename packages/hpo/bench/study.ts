// CPU seconds of searches: node --import tsx bench/study.ts CASE TRIALS
import { createStudy, NopPruner, TPESampler } from '../src';

const [, , , trials] = process.argv;
const study = await createStudy({ sampler: new TPESampler({ seed: 0 }), pruner: new NopPruner() });
const begin = process.cpuUsage();
for (let i = 0; i < Number(trials); i++) {
  const trial = await study.ask();
  let sum = 0;
  for (let k = 0; k < 10; k++) sum += trial.suggestFloat(`x${k}`, -5, 5) ** 2;
  await study.tell(trial, sum);
}
const { user, system } = process.cpuUsage(begin);
console.log(trials, (user + system) / 1e6, 's', Number(trials) / ((user + system) / 1e6), 'trials/s', study.bestValue);
