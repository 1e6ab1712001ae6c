// Prints a journal's only study as this package reads it: node --import tsx tools/verify/python/dump-study.ts JOURNAL
import { type JsonValue, JournalStorage, loadStudy } from '../../../packages/hpo/src';
import { distributionToJson } from '../../../packages/hpo/src/distribution/json';
import { JournalFileBackend } from '../../../packages/hpo/src/node';
import { pythonJson } from '../../../packages/hpo/src/python-json';

const study = await loadStudy({ storage: new JournalStorage(new JournalFileBackend(process.argv[2]!)) });
const trials = study.trials.map((trial): JsonValue => ({
  number: trial.number,
  state: trial.state,
  value: trial.value ?? null,
  params: trial.params,
  distributions: Object.fromEntries(
    Object.entries(trial.distributions).map(([name, distribution]) => [name, distributionToJson(distribution)]),
  ),
  intermediate: Object.fromEntries(trial.intermediateValues),
  user_attrs: trial.userAttrs,
  system_attrs: trial.systemAttrs,
  start: trial.datetimeStart?.getTime() ?? null,
  complete: trial.datetimeComplete?.getTime() ?? null,
}));
const { name, direction, userAttrs } = study;
console.log(pythonJson({ name, direction, user_attrs: userAttrs, best: study.bestTrial.number, trials }));
