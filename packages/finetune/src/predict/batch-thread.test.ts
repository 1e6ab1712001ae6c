import { expect, it } from 'vitest';
import { dealOut } from './batch-thread';

it('has each batch computed once, two at a time by a thread, and fails where one fails', async () => {
  const open: (() => void)[] = [];
  const asked: string[] = [];
  const results: number[] = [];
  const other = (batch: number): Promise<number> =>
    new Promise((resolve) => {
      asked.push(`other ${batch}`);
      open.push(() => resolve(batch * 10));
    });
  const own = async (batch: number): Promise<number> => {
    asked.push(`own ${batch}`);
    open.shift()?.();
    return batch * 10;
  };
  await dealOut([0, 1, 2, 3, 4, 5], { own, others: [other] }, (batch, result) => {
    results[batch] = result;
    if (results.filter((value) => value !== undefined).length >= 4) for (const resolve of open.splice(0)) resolve();
  });
  expect(results).toEqual([0, 10, 20, 30, 40, 50]);
  expect(asked.slice(0, 3)).toEqual(['other 0', 'other 1', 'own 2']);
  expect(asked.map((words) => words.split(' ')[1]).sort()).toEqual(['0', '1', '2', '3', '4', '5']);
  const broken = async (): Promise<number> => {
    throw new Error('the thread has ended');
  };
  await expect(dealOut([1, 2], { own, others: [broken] }, () => undefined)).rejects.toThrow('the thread has ended');
});
