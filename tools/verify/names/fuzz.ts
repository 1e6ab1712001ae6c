import { hubFuzzTargets } from '../../../packages/hub/test/fuzz';
import { tokenizerFuzzTargets } from '../../../packages/tokenize-gpt2/src/testing/fuzz';
import { fuzz } from '../../test/fuzz';
import type { Verification } from '../verification';

/**
 * Gives every reader a million files that are nearly right, and fails where one crashes, throws an error that is not its
 * package's, or takes more than a second. Arguments: COUNT and SEED.
 */
export default {
  summary: 'every reader takes or refuses a million files that are nearly right',
  run: async ({ args, log }) => {
    const [count = 1_000_000, seed = 20261130] = args.map(Number);
    const started = performance.now();
    const result = await fuzz([...hubFuzzTargets, ...tokenizerFuzzTargets], {
      count,
      seed,
      onProgress: (done) => {
        if (done % 50_000 !== 0) return;
        log(`${done} of ${count} inputs, ${Math.round((performance.now() - started) / 1000)} s`);
      },
    });
    const inputs = Object.values(result.targets).reduce((sum, target) => sum + target.inputs, 0);
    const failed = result.foreign.length + result.slow.length;
    log(`${inputs} inputs, ${result.foreign.length} foreign errors, ${result.slow.length} over a second`);
    for (const { target, seed: own, error } of result.foreign.slice(0, 5)) log(`${target} ${own}: ${error}`);
    const peakMemoryMiB = Math.round(process.resourceUsage().maxRSS / 1024);
    return { passed: inputs - failed, failed, versions: {}, figures: { seed, inputs, peakMemoryMiB, ...result } };
  },
} satisfies Verification;
