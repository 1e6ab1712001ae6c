export { trackingCallback, type TrackedTrainerState, type TrackingCallback } from './callback';
export { TrackingError, type TrackingErrorCode, type TrackingErrorDetails } from './errors';
export { type FeedOutcome, type FeedTiming } from './feed';
export { histogram } from './histogram';
export { jsonSafe, type JsonValue } from './json-safe';
export { finalRunName, qloraRunConfig, type QloraRun } from './run-config';
export {
  type ArtifactEvent,
  type ArtifactFile,
  type FinishEvent,
  type Histogram,
  type HistogramEvent,
  type LogEvent,
  type LostEvent,
  type MetricValues,
  parseRunEvent,
  type RunDescription,
  type RunEvent,
  runEventLine,
  type RunStatus,
  type StartEvent,
  type SummaryEvent,
  type SummaryValues,
} from './run-event';
export { memoryStore, type RunStore } from './run-store';
export { RunTracking, type RunTrackingOptions } from './run-tracking';
export { type Delivery, type Tracker } from './tracker';
