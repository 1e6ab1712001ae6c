import { type JsonValue } from './json-safe';
import { type ArtifactEvent, type RunEvent } from './run-event';

/** Events of one run on their way to one tracker. */
export interface Delivery {
  /** In the order they were logged. A start event comes alone, so that what it makes is kept before anything follows. */
  readonly events: readonly RunEvent[];
  /** What the delivery before this one gave back; undefined for a run's first. */
  readonly state: JsonValue | undefined;
  /**
   * True where these events may have arrived already: an earlier attempt failed, or its process was killed, after they were
   * sent. What a tracker does with them twice must come out as once.
   */
  readonly repeated: boolean;
  /** Aborted when the delivery takes too long. */
  readonly signal: AbortSignal;
  /** The bytes of an artifact's file. @throws TrackingError ARTIFACT_CHANGED, READ_FAILED */
  readonly readArtifact: (artifact: ArtifactEvent, path: string) => Promise<Uint8Array>;
  /** One line for people, such as the address of the run. */
  readonly report: (line: string) => void;
}

/** One place that runs are shown in. It is fed from a run's JSON lines and is never waited for by the training. */
export interface Tracker {
  /** What users call it in `reportTo`; also the name of its state beside the JSON lines. */
  readonly name: string;
  /** Milliseconds between deliveries while the run goes on, so that a server gets batches. Default: none. */
  readonly intervalMs?: number;
  /**
   * Takes events in; resolves when they are where they should be, with what the next delivery needs to know, which is kept
   * beside the JSON lines and holds no secret. A rejection with a TrackingError of code REFUSED or ARTIFACT_CHANGED ends the
   * deliveries until `sync`; after any other the same events come again.
   */
  deliver(delivery: Delivery): Promise<JsonValue>;
  /**
   * Sends what the tracker has held back so far, once nothing more comes from this process, and gives the new state. `events` is
   * empty. Default: nothing is held back.
   */
  settle?(delivery: Delivery): Promise<JsonValue>;
}
