export { JsonlTracker, type JsonlTrackerOptions } from './jsonl-tracker';
export { readJsonlEvents, type JsonlEvent, type JsonlFile } from './read-jsonl';
export { groupedTag, TensorBoardTracker, type TensorBoardTrackerOptions } from './tensorboard-tracker';
