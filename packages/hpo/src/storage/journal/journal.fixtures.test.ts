import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fixturesFolder } from '../../../../../tools/test/fixtures';
import { JournalFileBackend } from '../../node';
import { createStudy, loadStudy } from '../../study/create-study';
import { type Study } from '../../study/study';
import { recordedStudy, referenceObjective, referenceSpace } from '../../testing/optuna-fixtures';
import { TPESampler } from '../../sampler/tpe/tpe-sampler';
import { TextJournalBackend } from './backend';
import { JournalStorage } from './journal-storage';

const quiet = { info: () => undefined, warn: () => undefined };

describe.skipIf(fixturesFolder === undefined)("Optuna's journal", () => {
  const recorded = recordedStudy(fixturesFolder!);
  const journal = join(fixturesFolder!, 'optuna', 'journal.log');
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  function expectRecorded(study: Study): void {
    expect(study.name).toBe('banking77');
    expect(study.direction).toBe('maximize');
    expect(study.userAttrs).toEqual({ model: 'microsoft/DialoGPT-medium' });
    expect(study.bestValue).toBe(recorded.best_value);
    expect(study.bestParams).toEqual(recorded.best_params);
    expect(
      study.trials.map(({ number, state, value, params, intermediateValues }) => ({
        number,
        state,
        value: value ?? null,
        params,
        intermediate: Object.fromEntries(intermediateValues),
      })),
    ).toEqual(recorded.trials);
    for (const trial of study.trials) expect(trial.distributions).toEqual(referenceSpace);
    expect(study.trials[0]!.datetimeStart?.toISOString()).toBe('2026-11-23T19:23:50.711Z');
    expect(study.trials[0]!.datetimeComplete?.toISOString()).toBe('2026-11-23T19:23:50.715Z');
  }

  it('reads to the same study from the file', async () => {
    expectRecorded(await loadStudy({ storage: new JournalStorage(new JournalFileBackend(journal)) }));
  });

  it('reads to the same study from text', async () => {
    const storage = new JournalStorage(new TextJournalBackend(readFileSync(journal, 'utf8')));
    expectRecorded(await loadStudy({ studyName: 'banking77', storage }));
  });

  it('cut after any line, goes on to a study that can be resumed', async () => {
    const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
    for (let kept = 1; kept < lines.length; kept += 7) {
      const text = lines.slice(0, kept).join('\n') + '\n' + lines[kept]!.slice(0, 11);
      const storage = new JournalStorage(new TextJournalBackend(text));
      const study = await createStudy({ studyName: 'banking77', storage, loadIfExists: true, logger: quiet });
      const before = study.trials.length;
      await study.optimize((trial) => trial.suggestFloat('learning_rate', 1e-5, 5e-4, { log: true }), { nTrials: 1 });
      expect(study.trials.length).toBe(before + 1);
      expect(study.trials.at(-1)!.state).toBe('COMPLETE');
    }
  });

  it('writes the records Optuna wrote for the same run, but for times and workers', async () => {
    const backend = new TextJournalBackend();
    const study = await createStudy({
      studyName: 'banking77',
      direction: 'maximize',
      storage: new JournalStorage(backend),
      sampler: new TPESampler({ seed: 0 }),
      logger: quiet,
    });
    await study.setUserAttr('model', 'microsoft/DialoGPT-medium');
    await study.optimize(referenceObjective, { nTrials: 30, catch: RangeError });

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
    const study = await loadStudy({ storage, sampler: new TPESampler({ seed: 1 }), logger: quiet });
    await study.optimize(referenceObjective, { nTrials: 2 });
    expect(readFileSync(copy).subarray(0, readFileSync(journal).length)).toEqual(readFileSync(journal));
    const again = await loadStudy({ storage: new JournalStorage(new JournalFileBackend(copy)) });
    expect(again.trials).toEqual(study.trials);
    expect(again.trials.length).toBe(32);
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
