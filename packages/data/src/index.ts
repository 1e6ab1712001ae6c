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
  type LanguageModelText,
  type PreparedLanguageModel,
  prepareLanguageModelDataset,
  type PrepareLanguageModelOptions,
} from './dataset/prepare-language-model';
export { type PackedRow, type PackOptions, packRows } from './dataset/pack-rows';
export {
  datasetSummary,
  formatDatasetSummary,
  type LengthSummary,
  lengthSummary,
  type SplitSummary,
} from './dataset/summary';
export { type CsvOptions, parseCsv } from './read/csv';
export { type JsonlOptions, parseJsonl } from './read/jsonl';
export { DATA_FORMATS, type DataFormat } from './read/format';
export { readTable, type TableOptions } from './read/read-table';
export { type BadRows, type SkippedRow, type Table } from './read/table';
export { blobSource, bytesSource, type ByteSource, streamSource } from './files/byte-source';
export { type DataFiles, memoryDataFiles, singleFile } from './files/data-files';
export { DEFAULT_LIMITS, type DataLimits } from './files/limits';
export { type ChosenColumns, type ColumnOptions } from './load/columns';
export { type LabelOptions, type Task, TASKS, type TextRow } from './load/labels';
export { placeOf, type RowPlace } from './load/rows';
export { type SplitName } from './load/splits';
export { loadTextDataset, type TextDataset, type TextDatasetOptions } from './load/load-text-dataset';
export { type DataInput } from './load/tables';
export {
  type LanguageModelColumns,
  type LanguageModelDataset,
  type LanguageModelDatasetOptions,
  loadLanguageModelDataset,
} from './load/load-language-model-dataset';
export {
  type ClassBalance,
  type DataReport,
  type DuplicateRows,
  formatDataReport,
  inspectTextDataset,
} from './load/inspect';
export {
  type BatchRow,
  type CollatableRow,
  type CollatedBatch,
  type CollatorOptions,
  type DataCollator,
  DataCollatorWithPadding,
  lengthBucket,
} from './batch/collator';
export { padBatch, type PaddedArrays } from './batch/pad-batch';
export { DataCollatorForLanguageModeling, IGNORED_LABEL, type LanguageModelRow } from './batch/language-model-collator';
export {
  batchCount,
  batches,
  type BatchOptions,
  LengthGroupedSampler,
  RandomSampler,
  type Sampler,
  SequentialSampler,
} from './batch/samplers';
export { jsonlRows, type JsonlRowsOptions } from './stream/jsonl-rows';
export {
  mapRows,
  type RowStream,
  rowStream,
  type RowStreamFacts,
  type ShuffleOptions,
  shuffleRows,
} from './stream/row-stream';
