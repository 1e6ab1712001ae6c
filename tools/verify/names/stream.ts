import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../commands';
import { writeTexts } from '../stream/texts';
import type { Verification } from '../verification';

/** What a process may take, the worker thread and the TypeScript loader included. */
const MOST_BYTES = 300_000_000;

/** What pass.ts prints. */
interface Pass {
  readonly rows: number;
  readonly tokens: number;
  readonly labels: number;
  readonly order: string;
  readonly cached: boolean;
  readonly readySeconds: number;
  readonly seconds: number;
  readonly peakBytes: number;
}

/**
 * A million texts from a file, tokenized in a worker thread, kept on disk, shuffled and put into batches, in processes that may
 * take 300 MB each: the first makes the rows, the second finds them, the third goes through another epoch. Argument: COUNT.
 */
export default {
  summary: 'a million rows are tokenized ahead, kept, shuffled and batched within 300 MB',
  run: async ({ root, args, cache, log }) => {
    const count = Number(args[0] ?? 1_000_000);
    const [texts, folder] = [join(cache, 'texts.jsonl'), join(cache, 'rows')];
    rmSync(folder, { recursive: true, force: true });
    await writeTexts(texts, count);
    const pass = (epoch: number): Pass => {
      const script = join(root, 'tools/verify/stream/pass.ts');
      const node = ['--conditions=@qlora-js/source', '--import', join(root, 'tools/typescript.mjs'), script];
      const seen = JSON.parse(capture(process.execPath, [...node, texts, folder, String(epoch)])) as Pass;
      log(`epoch ${epoch}: ${seen.rows} rows, ${(seen.peakBytes / 1e6).toFixed(0)} MB, ${seen.seconds.toFixed(0)} s`);
      return seen;
    };
    const [made, again, next] = [pass(0), pass(0), pass(1)];
    rmSync(cache, { recursive: true });
    const wantedLabels = Array.from({ length: count }, (_, row) => row % 5).reduce((sum, label) => sum + label, 0);
    const checks = {
      'every row once': [made, again, next].every(({ rows, labels }) => rows === count && labels === wantedLabels),
      'as many tokens every time': again.tokens === made.tokens && next.tokens === made.tokens,
      'made once': !made.cached && again.cached && next.cached,
      'the same order for the same epoch': made.order === again.order,
      'another order for another epoch': made.order !== next.order,
      'within 300 MB': [made, again, next].every(({ peakBytes }) => peakBytes <= MOST_BYTES),
    };
    const failed = Object.entries(checks).filter(([, held]) => !held);
    for (const [name] of failed) log(`does not hold: ${name}`);
    const figures = { rows: count, mostBytes: MOST_BYTES, made, again, next };
    return { passed: Object.keys(checks).length - failed.length, failed: failed.length, versions: {}, figures };
  },
} satisfies Verification;
