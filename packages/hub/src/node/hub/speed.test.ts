import { expect, it } from 'vitest';
import { Speed } from './speed';

it('tells speed and time left from what came since it was asked first, and follows a change', () => {
  let seconds = 100;
  const speed = new Speed(() => seconds);
  const after = (elapsed: number, count: number) => {
    seconds += elapsed;
    speed.note(count);
  };
  // 500 bytes lay there already.
  after(0, 500);
  expect([speed.perSecond, speed.secondsLeft(500, 1000)]).toEqual([undefined, undefined]);
  after(0.1, 600);
  expect(speed.perSecond).toBeUndefined();
  after(0.9, 700);
  expect(speed.perSecond).toBe(200);
  expect(speed.secondsLeft(700, 1000)).toBe(1.5);
  expect(speed.secondsLeft(700, undefined)).toBeUndefined();
  after(5, 700 + 5 * 400);
  // 200 + (1 - 1/e) of the way to 400.
  expect(speed.perSecond).toBeCloseTo(400 - 200 / Math.E, 9);
  // Starting over is no speed.
  after(1, 0);
  expect(speed.perSecond).toBeCloseTo(400 - 200 / Math.E, 9);
});
