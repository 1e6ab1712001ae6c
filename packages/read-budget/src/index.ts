export { type Refusal, type Refuse } from './refusal';
export { type DocumentBudget, ReadBudget, type ReadLimits } from './budget';
export { type DuplicateKeys, type JsonOptions, parseJson } from './json';
export { shown } from './shown';
