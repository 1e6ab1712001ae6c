// Gives every reader a million files that are nearly right, and fails where one crashes, throws an error that is not its
// package's, or takes more than a second. Writes docs/verify/fuzz.json.
// usage: node --conditions=@qlora-js/source --import tsx tools/verify/fuzz.ts [COUNT] [SEED]
import { mkdirSync, writeFileSync } from 'node:fs';
import { hubFuzzTargets } from '../../packages/hub/test/fuzz';
import { tokenizerFuzzTargets } from '../../packages/tokenize-gpt2/src/testing/fuzz';
import { fuzz } from '../test/fuzz';

const [count = 1_000_000, seed = 20261130] = process.argv.slice(2).map(Number);
const started = performance.now();
const result = await fuzz([...hubFuzzTargets, ...tokenizerFuzzTargets], {
  count,
  seed,
  onProgress: (done) => {
    if (done % 50_000 === 0)
      console.log(`${done} of ${count} inputs, ${Math.round((performance.now() - started) / 1000)} s`);
  },
});
const inputs = Object.values(result.targets).reduce((sum, target) => sum + target.inputs, 0);
const document = {
  madeBy: 'tools/verify/fuzz.ts',
  date: new Date().toISOString().slice(0, 10),
  node: process.version,
  seed,
  inputs,
  seconds: Math.round((performance.now() - started) / 1000),
  peakMemoryMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  ...result,
};
mkdirSync('docs/verify', { recursive: true });
writeFileSync('docs/verify/fuzz.json', `${JSON.stringify(document, null, 2)}\n`);
console.log(`${inputs} inputs, ${result.foreign.length} foreign errors, ${result.slow.length} over a second`);
for (const { target, seed: own, error } of result.foreign.slice(0, 5)) console.error(`${target} ${own}: ${error}`);
process.exit(result.foreign.length + result.slow.length > 0 ? 1 : 0);
