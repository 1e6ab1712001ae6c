// CPU seconds of TPE's ask and tell in a fresh process: node ... hpo-study.ts TRIALS
import { createStudy, NopPruner, TPESampler } from '@qlora-js/hpo';

const trials = Number(process.argv[2]);
const logger = { info: () => undefined, warn: () => undefined };
const study = await createStudy({ sampler: new TPESampler({ seed: 0 }), pruner: new NopPruner(), logger });
const begin = process.cpuUsage();
for (let i = 0; i < trials; i++) {
  const trial = await study.ask();
  let sum = 0;
  for (let k = 0; k < 10; k++) sum += trial.suggestFloat(`x${k}`, -5, 5) ** 2;
  await study.tell(trial, sum);
}
const { user, system } = process.cpuUsage(begin);
console.log(JSON.stringify({ seconds: (user + system) / 1e6, best: study.bestValue }));
