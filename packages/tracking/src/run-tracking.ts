import { reasonOf, shown, TrackingError } from './errors';
import { Feed, type FeedOutcome, type FeedTiming } from './feed';
import { histogram } from './histogram';
import { jsonSafe, REDACTED } from './json-safe';
import {
  type ArtifactEvent,
  type ArtifactFile,
  checkMetrics,
  checkStep,
  type MetricValues,
  type RunDescription,
  type RunEvent,
  runEventLine,
  type RunStatus,
  type StartEvent,
  type SummaryValues,
} from './run-event';
import { type RunStore } from './run-store';
import { type Tracker } from './tracker';

/** What a run is recorded with. */
export interface RunTrackingOptions {
  /** Where the JSON lines go. */
  readonly store: RunStore;
  readonly run: RunDescription;
  /** Who is fed from the lines. Default: nobody. */
  readonly trackers?: readonly Tracker[];
  /** Takes one line for a tracker's first failure, and one at the end where something has not arrived. Default console.warn. */
  readonly report?: (line: string) => void;
  /** Values that must stand in no line, whatever holds them: keys in use. */
  readonly secrets?: readonly string[];
  /** How patient the feeding is. */
  readonly timing?: FeedTiming;
  /** Clock in milliseconds since 1970. Default Date.now. */
  readonly now?: () => number;
  /** Reads a file of an artifact, checked against what was logged. Default: the store's file, its size checked. */
  readonly readArtifact?: (artifact: ArtifactEvent, path: string) => Promise<Uint8Array>;
}

/**
 * One run, recorded as JSON lines that all trackers are fed from. Logging appends a line and returns; nothing that a tracker, a
 * server or a disk does stops or slows the training.
 */
export class RunTracking {
  /** The run's id, by which a later process goes on with it. */
  readonly id: string;
  private readonly store: RunStore;
  private readonly report: (line: string) => void;
  private readonly feeds: readonly Feed[];
  private lostLines = 0;
  private lostInAll = 0;
  private finished: Promise<FeedOutcome[]> | undefined;

  /** @throws TrackingError INVALID_ARGUMENT for a description that cannot be meant, WRITE_FAILED where no line can be written */
  constructor(private readonly options: RunTrackingOptions) {
    const { store, run, trackers = [], timing = {}, report = (line: string) => console.warn(line) } = options;
    this.store = store;
    this.report = (line) => safely(report, this.withoutSecrets(line));
    const start = this.startEvent(run);
    this.id = start.id;
    store.append(this.line(start));
    const readArtifact = options.readArtifact ?? ((artifact, path) => readChecked(store, artifact, path));
    this.feeds = trackers.map((tracker) => new Feed({ store, tracker, timing, report: this.report, readArtifact }));
  }

  /**
   * Records the figures of one step.
   *
   * @param step the optimiser step the figures belong to, an integer of at least 0
   * @throws TrackingError INVALID_ARGUMENT, RUN_FINISHED
   */
  log(metrics: MetricValues, step: number): void {
    checkMetrics(metrics, step);
    this.write({ event: 'log', time: this.time(), step, metrics });
  }

  /** Records how the values of a tensor are spread, in 30 bins. Values that are not finite are left out. */
  histogram(name: string, values: ArrayLike<number>, step: number): void {
    checkStep(step);
    this.write({
      event: 'histogram',
      time: this.time(),
      step,
      name: checkedName('histogram', name),
      ...histogram(values),
    });
  }

  /** Records what the run came to; may be called again. */
  summary(values: SummaryValues): void {
    this.write({ event: 'summary', time: this.time(), values: jsonSafe(values) as Record<string, never> });
  }

  /** Records files that the run made, for trackers that take them. They must stay as they are until they are sent. */
  artifact(artifact: {
    /** Name of the artifact, such as `adapter-RUN`. */
    name: string;
    /** Kind, such as `model`. */
    type: string;
    /** Folder of the files, relative to the run's where it lies inside. */
    folder: string;
    files: readonly ArtifactFile[];
  }): void {
    checkedName('artifact', artifact.name);
    this.write({ event: 'artifact', time: this.time(), ...artifact });
  }

  /**
   * Ends the run and waits, within limits, until every tracker has everything. Never rejects for a tracker's sake; a second call
   * waits for the first.
   */
  finish(status: RunStatus): Promise<FeedOutcome[]> {
    this.finished ??= this.end(status);
    return this.finished;
  }

  private async end(status: RunStatus): Promise<FeedOutcome[]> {
    this.append({ event: 'finish', time: this.time(), status });
    try {
      this.store.close();
    } catch (error) {
      this.report(`${reasonOf(error)}.`);
    }
    if (this.lostInAll > 0) this.report(`${this.store.place}: ${this.lostInAll} lines could not be written.`);
    const outcomes = await Promise.all(this.feeds.map((feed) => feed.finish()));
    for (const { tracker, complete } of outcomes) {
      if (!complete)
        this.report(`tracker ${tracker}: not everything has arrived; sync ${this.store.place} sends the rest.`);
    }
    return outcomes;
  }

  private write(event: RunEvent): void {
    if (this.finished !== undefined) {
      throw new TrackingError('RUN_FINISHED', `the run is finished: a ${event.event} came after its end`, {
        place: this.store.place,
      });
    }
    this.append(event);
  }

  private append(event: RunEvent): void {
    const lost: RunEvent[] = this.lostLines > 0 ? [{ event: 'lost', time: this.time(), lines: this.lostLines }] : [];
    try {
      this.store.append([...lost, event].map((each) => this.line(each)).join(''));
      this.lostLines = 0;
    } catch (error) {
      this.lostLines++;
      if (++this.lostInAll === 1)
        this.report(`${reasonOf(error)}. The run goes on, lines are lost until it can be written.`);
      return;
    }
    for (const feed of this.feeds) feed.nudge();
  }

  private startEvent(run: RunDescription): StartEvent {
    const {
      name,
      id = randomId(),
      project = 'qlora',
      entity,
      group,
      jobType,
      config = {},
      tags = [],
      reportTo = [],
    } = run;
    checkedName('run', name);
    checkedName('project', project);
    if (!/^[\w-]{1,64}$/.test(id)) {
      throw new TrackingError('INVALID_ARGUMENT', `the run's id is ${shown(id)}`, {
        value: id,
        remedy: 'Ids are 1 to 64 letters, digits, underscores and hyphens',
      });
    }
    const safe = jsonSafe(config) as StartEvent['config'];
    return {
      event: 'start',
      time: this.time(),
      id,
      name,
      project,
      entity,
      group,
      jobType,
      config: safe,
      tags,
      reportTo,
    };
  }

  private line(event: RunEvent): string {
    return this.withoutSecrets(runEventLine(event));
  }

  private withoutSecrets(text: string): string {
    const secrets = (this.options.secrets ?? []).filter((secret) => secret.length >= 8);
    return secrets.reduce((clean, secret) => {
      const inJson = JSON.stringify(secret).slice(1, -1);
      return clean.replaceAll(inJson, REDACTED).replaceAll(secret, REDACTED);
    }, text);
  }

  private time(): string {
    return new Date((this.options.now ?? Date.now)()).toISOString();
  }
}

function checkedName(what: string, name: string): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new TrackingError('INVALID_ARGUMENT', `the name of the ${what} is ${shown(name)}`, {
    value: name,
    remedy: 'Pass a text',
  });
}

/** Eight letters and digits, as W&B makes them. */
function randomId(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => letters[byte % letters.length]).join('');
}

async function readChecked(store: RunStore, artifact: ArtifactEvent, path: string): Promise<Uint8Array> {
  const bytes = await store.readFile(artifact.folder, path);
  const logged = artifact.files.find((file) => file.path === path);
  if (bytes.length === logged?.size) return bytes;
  throw new TrackingError('ARTIFACT_CHANGED', `the file has ${bytes.length} bytes and had ${logged?.size}`, {
    place: `${artifact.folder}/${path}`,
  });
}

function safely(report: (line: string) => void, line: string): void {
  try {
    report(line);
  } catch {
    // The last place to say so has failed itself; the training matters more.
  }
}
