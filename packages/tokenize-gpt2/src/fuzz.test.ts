import { expect, it } from 'vitest';
import { fuzz } from '../../../tools/test/fuzz';
import { tokenizerFuzzTargets } from './testing/fuzz';

it('4,000 sets of files that are nearly right are read or refused, each by a TokenizerError', async () => {
  const result = await fuzz(tokenizerFuzzTargets, { count: 4_000, seed: 2 });
  expect(result.foreign.slice(0, 3)).toEqual([]);
  for (const [name, { read, refused }] of Object.entries(result.targets)) {
    expect([name, read > 500, refused > 500]).toEqual([name, true, true]);
  }
});
