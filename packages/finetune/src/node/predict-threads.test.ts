import { expect, it } from 'vitest';
import { startPredictThread } from './predict-threads';

it('says what a thread could not do, to every batch that it is asked for', async () => {
  const thread = startPredictThread({ adapters: { one: '/no/such/folder' }, base: undefined, backend: 'cpu', hub: {} });
  const answers = await Promise.allSettled([thread.outputs([[1]], 'one'), thread.outputs([[2]], 'one')]);
  for (const answer of [...answers, ...(await Promise.allSettled([thread.outputs([[3]], 'one')]))]) {
    expect(answer).toMatchObject({ status: 'rejected', reason: { name: 'FinetuneError', code: 'THREAD_FAILED' } });
    expect(String((answer as PromiseRejectedResult).reason)).toMatch(/failed at a batch: .*no\/such\/folder/);
  }
  await thread.end();
});
