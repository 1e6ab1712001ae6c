// A process of `npm run verify -- stream`: tokenizes the texts of a file in a thread, keeps the rows, and goes through them in
// shuffled batches; prints a line of JSON with what it has seen and the most memory it took.
// usage: node --conditions=@qlora-js/source --import tools/typescript.mjs pass.ts TEXTS CACHE EPOCH
import { createHash } from 'node:crypto';
import { DataCollatorWithPadding, shuffleRows, type PreparedRow } from '@qlora-js/data';
import { cachedRows, fileSha256, workerRows } from '@qlora-js/data/node';
import { LABELS } from './texts';
import type { TokenizeRows } from './tokenize-rows';

const [path, folder, epoch] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
const setup: TokenizeRows = { path, labels: LABELS };
const made = workerRows<PreparedRow, TokenizeRows>({ module: new URL('./tokenize-rows.ts', import.meta.url), setup });
const started = performance.now();
let cached = true;
const kept = await cachedRows({
  folder,
  key: { texts: await fileSha256(path), labels: LABELS.join(), tokenizer: 'base-mini', maxLength: 128 },
  rows: made,
  log: () => (cached = false),
});
const readySeconds = (performance.now() - started) / 1000;

const collator = new DataCollatorWithPadding({ padTokenId: 0 });
const order = createHash('sha256');
let [rows, tokens, labels] = [0, 0, 0];
let batch: PreparedRow[] = [];
const take = (): void => {
  const collated = collator.collate(batch);
  tokens += collated.realTokens;
  for (const label of collated.labels) labels += label;
  for (const { ids } of collated.rows) order.update(ids);
  rows += batch.length;
  batch = [];
};
for await (const row of shuffleRows(kept, { bufferSize: 10_000, seed: 5 }).rows(epoch)) {
  batch.push(row);
  if (batch.length === 16) take();
}
if (batch.length > 0) take();
const seconds = (performance.now() - started) / 1000;
const peakBytes = process.resourceUsage().maxRSS * 1024;
const seen = { rows, tokens, labels, order: order.digest('hex'), cached, readySeconds, seconds, peakBytes };
console.log(JSON.stringify(seen));
