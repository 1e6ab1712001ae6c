export { DataError, type DataErrorCode } from './errors';
export { SeededRandom } from './random';
export { Dataset } from './dataset/dataset';
export { LabelMap, type LabelPlace } from './dataset/label-map';
export { type SplitOptions, trainTestSplit } from './dataset/train-test-split';
export {
  type BatchTokenizer,
  type Prepared,
  type PreparedRow,
  type PrepareOptions,
  prepareDataset,
} from './dataset/prepare';
export {
  datasetSummary,
  formatDatasetSummary,
  type LengthSummary,
  lengthSummary,
  type SplitSummary,
} from './dataset/summary';
export { type CsvOptions, parseCsv } from './read/csv';
export { parseJsonl } from './read/jsonl';
export { type Banking77, type LabelledText, loadBanking77, type TextFiles } from './read/banking77';
export {
  type CollatableRow,
  type CollatedBatch,
  type CollatorOptions,
  DataCollatorWithPadding,
  lengthBucket,
} from './batch/collator';
export {
  batchCount,
  batches,
  type BatchOptions,
  LengthGroupedSampler,
  RandomSampler,
  type Sampler,
  SequentialSampler,
} from './batch/samplers';
