import { closeSync, ftruncateSync, mkdirSync, openSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { reasonOf, TrackingError } from '../../errors';
import { jsonSafe, type JsonValue } from '../../json-safe';
import { type RunEvent } from '../../run-event';
import { type Delivery, type Tracker } from '../../tracker';
import { fileVersionEvent, histogramEvent, record, scalarsEvent, textEvent } from '../../tfevents/events';
import { concatenate } from '../../tfevents/protobuf';
import { experimentEvent, sessionEndEvent, sessionStartEvent } from '../../tfevents/hparams';
import { AppendFile } from '../append-file';

/** Where event files go. */
export interface TensorBoardTrackerOptions {
  /** Folder for `tensorboard --logdir`; each run gets a folder of its name in it (nested where the name has slashes). */
  readonly logDir: string;
  /** Tag of a metric. Default `groupedTag`. */
  readonly tagOf?: (metric: string) => string;
}

/** What a delivery leaves for the next. */
interface TensorBoardState {
  /** The event file, relative to logDir. */
  readonly file: string;
  /** Its length: what lies behind came of a delivery that did not end. */
  readonly bytes: number;
  /** The last step that was logged: where summary and status belong. */
  readonly step: number;
}

/** What TensorBoard's table compares runs by. */
const COMPARED = ['eval_f1', 'eval_accuracy', 'eval_loss', 'loss', 'test_f1', 'test_accuracy', 'test_loss'];

/**
 * Writes TensorBoard's event files (events.out.tfevents.*): metrics as scalars; the config as hparams, so that TensorBoard's
 * table compares runs; histograms; config, tags, summary and status as text. Values become 32-bit floats there.
 */
export class TensorBoardTracker implements Tracker {
  readonly name = 'tensorboard';
  private readonly logDir: string;
  private readonly tagOf: (metric: string) => string;

  /** @throws TrackingError INVALID_ARGUMENT */
  constructor({ logDir, tagOf = groupedTag }: TensorBoardTrackerOptions) {
    if (typeof logDir !== 'string' || logDir === '') {
      throw new TrackingError('INVALID_ARGUMENT', 'logDir is empty', { value: logDir, remedy: 'Name a folder' });
    }
    this.logDir = logDir;
    this.tagOf = tagOf;
  }

  async deliver({ events, state }: Delivery): Promise<JsonValue> {
    let now = state as unknown as TensorBoardState | undefined;
    const parts: Uint8Array[] = [];
    for (const event of events) {
      if (event.event === 'start' && now === undefined) {
        now = { file: fileOf(event.name, event.time), bytes: 0, step: 0 };
        parts.push(record(fileVersionEvent(Date.parse(event.time) / 1000)));
      }
      if (now === undefined) {
        throw new TrackingError('REFUSED', 'the lines do not begin with the start of a run', { place: 'tensorboard' });
      }
      if (event.event === 'log') now = { ...now, step: event.step };
      parts.push(...this.records(event, now.step));
    }
    const bytes = concatenate(parts);
    this.write(join(this.logDir, now!.file), now!.bytes, bytes);
    return { ...now!, bytes: now!.bytes + bytes.length };
  }

  private records(event: RunEvent, step: number): Uint8Array[] {
    const time = { wallTime: Date.parse(event.time) / 1000, step };
    const text = (tag: string, value: unknown): Uint8Array => {
      // As a block that Markdown leaves alone.
      const indented = JSON.stringify(jsonSafe(value), null, 2).replaceAll(/^/gm, '    ');
      return record(textEvent(time, tag, indented));
    };
    switch (event.event) {
      case 'start':
        return [
          record(experimentEvent(time, event.config, COMPARED.map(this.tagOf))),
          record(sessionStartEvent(time, event.config)),
          text('config', event.config),
          ...(event.tags.length > 0 ? [text('tags', event.tags)] : []),
        ];
      case 'log': {
        const scalars = Object.entries(event.metrics).map(([name, value]) => [this.tagOf(name), value] as const);
        return scalars.length > 0 ? [record(scalarsEvent(time, scalars))] : [];
      }
      case 'histogram':
        return [record(histogramEvent({ ...time, step: event.step }, event.name, event))];
      case 'summary': {
        const scalars = Object.entries(event.values).flatMap(([name, value]) =>
          typeof value === 'number' ? [[this.tagOf(name), value] as const] : [],
        );
        return [...(scalars.length > 0 ? [record(scalarsEvent(time, scalars))] : []), text('summary', event.values)];
      }
      case 'artifact':
        return [text('artifact', { name: event.name, type: event.type, files: event.files.map(({ path }) => path) })];
      case 'finish':
        return [record(sessionEndEvent(time, event.status)), text('status', event.status)];
      case 'lost':
        return [text('lost', `${event.lines} lines`)];
    }
  }

  /** Appends behind the first `length` bytes, whatever an earlier delivery left there. */
  private write(path: string, length: number, bytes: Uint8Array): void {
    try {
      mkdirSync(dirname(path), { recursive: true });
      const descriptor = openSync(path, 'a');
      try {
        const { size } = statSync(path);
        if (size < length)
          throw new TrackingError('WRITE_FAILED', `${size} bytes are left of ${length}`, { place: path });
        ftruncateSync(descriptor, length);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if (TrackingError.isInstance(error)) throw error;
      throw new TrackingError('WRITE_FAILED', reasonOf(error), { place: path, cause: error });
    }
    const file = AppendFile.open(path);
    try {
      file.append(bytes);
    } finally {
      file.close();
    }
  }
}

/**
 * `eval_loss` -> `eval/loss`, `test_f1` -> `test/f1`, anything else under `train/`: TensorBoard groups charts by what stands
 * before the slash; transformers' integrations do the same (integration_utils.py, rewrite_logs).
 */
export function groupedTag(metric: string): string {
  const [, group, rest] = /^(eval|test)_(.+)$/s.exec(metric) ?? [];
  return group === undefined ? `train/${metric}` : `${group}/${rest}`;
}

function fileOf(runName: string, time: string): string {
  const seconds = Math.floor(Date.parse(time) / 1000);
  const name = `events.out.tfevents.${seconds}.${safeName(hostname())}.${process.pid}.${Math.floor(Math.random() * 1e9)}`;
  return join(...runName.split(/[\\/]+/).map(safeName), name);
}

/** One path segment, whatever the name holds: no separators, no way up, no hidden file, not too long for a file system. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '_').replace(/^\.+/, '_');
  return [...safe].slice(0, 60).join('') || '_';
}
