import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { goldenPath } from '../../../../../tools/test/golden';
import { JournalFileBackend } from '../../node';
import { createStudy, loadStudy } from '../../study/create-study';
import { type Study } from '../../study/study';
import { recordedStudy, referenceObjective, referenceSpace } from '../../testing/optuna-fixtures';
import { TPESampler } from '../../sampler/tpe/tpe-sampler';
import { TextJournalBackend } from './backend';
import { JournalStorage } from './journal-storage';

const quiet = { info: () => undefined, warn: () => undefined };

describe("Optuna's journal", () => {
  const recorded = recordedStudy;
  const journal = goldenPath('optuna/journal.log');
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  function expectRecorded(study: Study): void {
    expect(study.name).toBe(recorded.name);
    expect(study.direction).toBe('maximize');
    expect(study.userAttrs).toEqual(recorded.user_attrs);
    expect(study.bestValue).toBe(recorded.best_value);
    expect(study.bestParams).toEqual(recorded.best_params);
    expect(
      study.trials.map(({ number, state, value, params, intermediateValues, datetimeStart, datetimeComplete }) => ({
        number,
        state,
        value: value ?? null,
        params,
        intermediate: Object.fromEntries(intermediateValues),
        start: datetimeStart?.toISOString(),
        complete: datetimeComplete?.toISOString(),
      })),
    ).toEqual(recorded.trials);
    for (const trial of study.trials) expect(trial.distributions).toEqual(referenceSpace);
  }

  it('reads to the same study from the file', async () => {
    expectRecorded(await loadStudy({ storage: new JournalStorage(new JournalFileBackend(journal)) }));
  });

  it('reads to the same study from text', async () => {
    const storage = new JournalStorage(new TextJournalBackend(readFileSync(journal, 'utf8')));
    expectRecorded(await loadStudy({ studyName: recorded.name, storage }));
  });

  it('cut after any line, goes on to a study that can be resumed', async () => {
    const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
    for (let kept = 1; kept < lines.length; kept += 7) {
      const text = lines.slice(0, kept).join('\n') + '\n' + lines[kept]!.slice(0, 11);
      const storage = new JournalStorage(new TextJournalBackend(text));
      const study = await createStudy({ studyName: recorded.name, storage, loadIfExists: true, logger: quiet });
      const before = study.trials.length;
      await study.optimize((trial) => trial.suggestFloat('learning_rate', 1e-5, 5e-4, { log: true }), { nTrials: 1 });
      expect(study.trials.length).toBe(before + 1);
      expect(study.trials.at(-1)!.state).toBe('COMPLETE');
    }
  });

  it('writes the records Optuna wrote for the same run, but for times and workers', async () => {
    const backend = new TextJournalBackend();
    const study = await createStudy({
      studyName: recorded.name,
      direction: 'maximize',
      storage: new JournalStorage(backend),
      sampler: new TPESampler({ seed: recorded.seed }),
      logger: quiet,
    });
    for (const [key, value] of Object.entries(recorded.user_attrs)) await study.setUserAttr(key, value);
    await study.optimize(referenceObjective, { nTrials: recorded.trials.length, catch: RangeError });

    const theirs = comparable(readFileSync(journal, 'utf8'));
    const ours = comparable(backend.text).filter((record) => !JSON.stringify(record).includes('"fail_reason"'));
    expect(ours.length).toBe(theirs.length);
    ours.forEach((record, i) => expect(record, `record ${i}`).toEqual(theirs[i]));
  });

  it('is appended to beside what was there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hpo-'));
    folders.push(folder);
    const copy = join(folder, 'journal.log');
    writeFileSync(copy, readFileSync(journal));
    const storage = new JournalStorage(new JournalFileBackend(copy));
    const study = await loadStudy({ storage, sampler: new TPESampler({ seed: recorded.seed + 1 }), logger: quiet });
    await study.optimize(referenceObjective, { nTrials: 2 });
    expect(readFileSync(copy).subarray(0, readFileSync(journal).length)).toEqual(readFileSync(journal));
    const again = await loadStudy({ storage: new JournalStorage(new JournalFileBackend(copy)) });
    expect(again.trials).toEqual(study.trials);
    expect(again.trials.length).toBe(recorded.trials.length + 2);
  });
});

/** Records without what differs from run to run, floats to 12 digits (the platforms' log and exp differ in the last). */
function comparable(text: string): Record<string, unknown>[] {
  const rounded = (value: unknown): unknown => {
    if (typeof value === 'number') return Number(value.toPrecision(12));
    if (typeof value === 'string' && value.startsWith('{')) return rounded(JSON.parse(value));
    if (Array.isArray(value)) return value.map(rounded);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rounded(item)]));
  };
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const record = rounded(JSON.parse(line)) as Record<string, unknown>;
      for (const key of ['worker_id', 'datetime_start', 'datetime_complete']) delete record[key];
      return record;
    });
}
