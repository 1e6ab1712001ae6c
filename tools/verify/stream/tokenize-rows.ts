// The worker thread of stream.ts: reads texts from a file of JSON Lines and tokenizes them.
import { baseMiniFiles } from '@qlora-js/base-mini';
import { Dataset, jsonlRows, LabelMap, mapRows, prepareDataset } from '@qlora-js/data';
import { fileSource, serveRows } from '@qlora-js/data/node';
import { GPT2Tokenizer } from '@qlora-js/tokenize-gpt2';

/** What it is told. */
export interface TokenizeRows {
  readonly path: string;
  readonly labels: readonly string[];
}

serveRows(async function* ({ path, labels }: TokenizeRows, epoch) {
  const tokenizer = await GPT2Tokenizer.load(await baseMiniFiles());
  const labelMap = LabelMap.fromNames([...labels]);
  const texts = jsonlRows<{ text: string; label: string }>(await fileSource(path, 'texts.jsonl'));
  const rows = mapRows(texts, (some, from) =>
    prepareDataset(Dataset.fromRows(some), { tokenizer, labelMap, source: `rows from ${from} on` }).dataset.toRows(),
  );
  yield* rows.rows(epoch);
});
