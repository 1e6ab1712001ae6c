import { type JsonValue } from '../json-safe';
import { type RunStatus } from '../run-event';
import { type EventTime, pluginDataEvent } from './events';
import { ProtobufWriter } from './protobuf';

// Field numbers: tensorboard/plugins/hparams/plugin_data.proto, api.proto, google/protobuf/struct.proto.
const PLUGIN_DATA = { experiment: 2, sessionStart: 3, sessionEnd: 4 };
const EXPERIMENT = { timeCreated: 3, hparams: 4, metrics: 5 };
const HPARAM_INFO = { name: 1, type: 4 };
const METRIC_INFO = { name: 1 };
const METRIC_NAME = { tag: 2 };
const SESSION_START = { hparams: 1, startTime: 5 };
const SESSION_END = { status: 1, endTime: 2 };
const MAP_ENTRY = { key: 1, value: 2 };
const VALUE = { number: 2, string: 3, bool: 4 };
const DATA_TYPES = { string: 1, boolean: 2, number: 3 };
const STATUS = { finished: 1, pruned: 1, failed: 2, interrupted: 2 };

/** Settings by name. */
type Config = Readonly<Record<string, JsonValue>>;

/** Which settings runs differ in and which metrics they are compared by. */
export function experimentEvent(time: EventTime, config: Config, metricTags: readonly string[]): Uint8Array {
  const experiment = new ProtobufWriter().double(EXPERIMENT.timeCreated, time.wallTime);
  for (const [name, value] of plainSettings(config)) {
    const type = DATA_TYPES[typeof value as keyof typeof DATA_TYPES];
    const info = new ProtobufWriter().bytes(HPARAM_INFO.name, name).integer(HPARAM_INFO.type, type).finish();
    experiment.bytes(EXPERIMENT.hparams, info);
  }
  for (const tag of metricTags) {
    const name = new ProtobufWriter().bytes(METRIC_NAME.tag, tag).finish();
    experiment.bytes(EXPERIMENT.metrics, new ProtobufWriter().bytes(METRIC_INFO.name, name).finish());
  }
  return hparamsEvent(time, 'experiment', new ProtobufWriter().bytes(PLUGIN_DATA.experiment, experiment.finish()));
}

/** The settings of one run: a row of TensorBoard's table. */
export function sessionStartEvent(time: EventTime, config: Config): Uint8Array {
  const session = new ProtobufWriter();
  for (const [name, value] of plainSettings(config)) {
    const entry = new ProtobufWriter().bytes(MAP_ENTRY.key, name).bytes(MAP_ENTRY.value, valueOf(value)).finish();
    session.bytes(SESSION_START.hparams, entry);
  }
  session.double(SESSION_START.startTime, time.wallTime);
  return hparamsEvent(
    time,
    'session_start_info',
    new ProtobufWriter().bytes(PLUGIN_DATA.sessionStart, session.finish()),
  );
}

/** How one run ended. */
export function sessionEndEvent(time: EventTime, status: RunStatus): Uint8Array {
  const session = new ProtobufWriter()
    .integer(SESSION_END.status, STATUS[status])
    .double(SESSION_END.endTime, time.wallTime)
    .finish();
  return hparamsEvent(time, 'session_end_info', new ProtobufWriter().bytes(PLUGIN_DATA.sessionEnd, session));
}

function hparamsEvent(time: EventTime, name: string, content: ProtobufWriter): Uint8Array {
  return pluginDataEvent(time, `_hparams_/${name}`, { plugin: 'hparams', content: content.finish() });
}

/** The settings that a table can hold; objects are taken apart by dots, lists and nothing at all stay out. */
function plainSettings(config: Config, prefix = ''): [string, string | number | boolean][] {
  return Object.entries(config).flatMap(([key, value]): [string, string | number | boolean][] => {
    const name = `${prefix}${key}`;
    if (typeof value !== 'object') return [[name, value]];
    return value === null || Array.isArray(value) ? [] : plainSettings(value, `${name}.`);
  });
}

function valueOf(value: string | number | boolean): Uint8Array {
  const writer = new ProtobufWriter();
  if (typeof value === 'string') return writer.bytes(VALUE.string, value).finish();
  if (typeof value === 'number') return writer.double(VALUE.number, value).finish();
  return writer.integer(VALUE.bool, value ? 1 : 0).finish();
}
