import { maskedCrc32c } from './crc32c';
import { concatenate, ProtobufWriter } from './protobuf';

// Field numbers: tensorboard/compat/proto/event.proto, summary.proto, tensor.proto, tensor_shape.proto, types.proto.
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 };
const SUMMARY = { value: 1 };
const VALUE = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 };
const METADATA = { pluginData: 1 };
const PLUGIN_DATA = { pluginName: 1, content: 2 };
const TENSOR = { dtype: 1, shape: 2, tensorContent: 4, stringValue: 8 };
const SHAPE = { dimension: 2 };
const DIMENSION = { size: 1 };
const DT_FLOAT = 1;
const DT_DOUBLE = 2;
const DT_STRING = 7;

/** When an event was written. */
export interface EventTime {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
}

/** The record every event file begins with. */
export function fileVersionEvent(wallTime: number): Uint8Array {
  return new ProtobufWriter().double(EVENT.wallTime, wallTime).bytes(EVENT.fileVersion, 'brain.Event:2').finish();
}

/** All scalars of one step in one event. TensorBoard holds them as 32-bit floats. */
export function scalarsEvent(
  { wallTime, step }: EventTime,
  scalars: readonly (readonly [string, number])[],
): Uint8Array {
  const summary = new ProtobufWriter();
  for (const [tag, value] of scalars) {
    summary.bytes(SUMMARY.value, new ProtobufWriter().bytes(VALUE.tag, tag).float(VALUE.simpleValue, value).finish());
  }
  return event({ wallTime, step }, summary.finish());
}

/** A text (TensorBoard renders Markdown) for the text dashboard. */
export function textEvent(time: EventTime, tag: string, text: string): Uint8Array {
  const tensor = tensorOf(DT_STRING, [1]).bytes(TENSOR.stringValue, text).finish();
  return tensorEvent(time, tag, { tensor, plugin: 'text' });
}

/** Counts of values by bin, for the histogram dashboard: a row [left, right, count] of doubles a bin. */
export function histogramEvent(
  time: EventTime,
  tag: string,
  { edges, counts }: { readonly edges: readonly number[]; readonly counts: readonly number[] },
): Uint8Array {
  const rows = Float64Array.from(counts.flatMap((count, i) => [edges[i]!, edges[i + 1]!, count]));
  const content = new Uint8Array(rows.length * 8);
  rows.forEach((value, i) => new DataView(content.buffer).setFloat64(i * 8, value, true));
  const tensor = tensorOf(DT_DOUBLE, [counts.length, 3]).bytes(TENSOR.tensorContent, content).finish();
  return tensorEvent(time, tag, { tensor, plugin: 'histograms' });
}

/** What a plugin keeps in its metadata, with a tensor of no values (tensorboard/plugins/hparams/metadata.py, NULL_TENSOR). */
export function pluginDataEvent(
  time: EventTime,
  tag: string,
  { plugin, content }: { readonly plugin: string; readonly content: Uint8Array },
): Uint8Array {
  return tensorEvent(time, tag, { tensor: tensorOf(DT_FLOAT, [0]).finish(), plugin, content });
}

function tensorOf(dtype: number, shape: readonly number[]): ProtobufWriter {
  const dimensions = new ProtobufWriter();
  for (const size of shape) {
    dimensions.bytes(SHAPE.dimension, new ProtobufWriter().integer(DIMENSION.size, size).finish());
  }
  return new ProtobufWriter().integer(TENSOR.dtype, dtype).bytes(TENSOR.shape, dimensions.finish());
}

function tensorEvent(
  time: EventTime,
  tag: string,
  { tensor, plugin, content }: { readonly tensor: Uint8Array; readonly plugin: string; readonly content?: Uint8Array },
): Uint8Array {
  const data = new ProtobufWriter().bytes(PLUGIN_DATA.pluginName, plugin);
  if (content !== undefined) data.bytes(PLUGIN_DATA.content, content);
  const value = new ProtobufWriter()
    .bytes(VALUE.tag, tag)
    .bytes(VALUE.tensor, tensor)
    .bytes(VALUE.metadata, new ProtobufWriter().bytes(METADATA.pluginData, data.finish()).finish())
    .finish();
  return event(time, new ProtobufWriter().bytes(SUMMARY.value, value).finish());
}

function event({ wallTime, step }: EventTime, summary: Uint8Array): Uint8Array {
  return new ProtobufWriter()
    .double(EVENT.wallTime, wallTime)
    .integer(EVENT.step, step)
    .bytes(EVENT.summary, summary)
    .finish();
}

/** TFRecord framing: length as uint64, its masked CRC, the data, its masked CRC, all little-endian. */
export function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, data.length, true);
  return concatenate([length, checksum(length), data, checksum(data)]);
}

function checksum(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, maskedCrc32c(data), true);
  return bytes;
}
