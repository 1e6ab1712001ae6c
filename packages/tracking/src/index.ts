export { CompositeTracker, type CompositeTrackerOptions, type TrackerFailures } from './composite-tracker';
export { TrackingError, type TrackingErrorCode } from './errors';
export { jsonSafe, type JsonValue } from './json-safe';
export { MemoryTracker, type LoggedStep, type RecordedRun } from './memory-tracker';
export { type MetricValues, type RunStatus, type SummaryValues, type TrackedRun, type Tracker } from './tracker';
