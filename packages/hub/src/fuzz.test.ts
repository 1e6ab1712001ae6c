import { expect, it } from 'vitest';
import { fuzz } from '../../../tools/test/fuzz';
import { hubFuzzTargets } from '../test/fuzz';

it('16,000 files that are nearly right are read or refused, each by a HubError', async () => {
  const result = await fuzz(hubFuzzTargets, { count: 16_000, seed: 1 });
  expect(result.foreign.slice(0, 3)).toEqual([]);
  for (const [name, { read, refused }] of Object.entries(result.targets)) {
    expect([name, read > 50, refused > 500]).toEqual([name, true, true]);
  }
});
