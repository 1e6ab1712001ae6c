import { expect, it } from 'vitest';
import { DEFAULT_SETTINGS, GENERATED } from './page-state';
import { afterEvent, isUnderWay, newRun, pointsOf } from './run-state';

const run = newRun({ slot: 'a', data: GENERATED, base: { kind: 'embedded' }, settings: DEFAULT_SETTINGS, threads: 1 });

it('a run that goes on has the rows of its checkpoint and adds to them', () => {
  const begun = afterEvent(run, { kind: 'begun', step: 3, maxSteps: 9, rows: [{ step: 3, loss: 2 }] });
  const later = afterEvent(begun, { kind: 'row', row: { step: 4, loss: 1.5 } });
  expect([later.step, later.maxSteps]).toEqual([3, 9]);
  expect(pointsOf(later.rows, 'loss')).toEqual([
    { x: 3, y: 2 },
    { x: 4, y: 1.5 },
  ]);
  expect(pointsOf(later.rows, 'eval_accuracy')).toEqual([]);
});

it('a step ends what is said of an evaluation', () => {
  const evaluating = afterEvent(run, { kind: 'evaluating', done: 1, total: 2 });
  expect(evaluating.evaluating).toEqual({ done: 1, total: 2 });
  const figures = { step: 1, maxSteps: 9, epoch: 0.1, tokensPerSecond: 50, secondsLeft: 80, memoryBytes: 1e6 };
  const stepped = afterEvent(evaluating, { kind: 'step', ...figures });
  expect(stepped.evaluating).toBeUndefined();
  expect(stepped.figures).toEqual(figures);
});

it('a failed run is not under way', () => {
  expect([isUnderWay(run), isUnderWay({ ...run, stage: 'failed' }), isUnderWay(undefined)]).toEqual([
    true,
    false,
    false,
  ]);
});
