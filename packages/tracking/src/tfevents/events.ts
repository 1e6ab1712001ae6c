import { maskedCrc32c } from './crc32c';
import { concatenate, ProtobufWriter } from './protobuf';

// Field numbers: tensorboard/compat/proto/event.proto, summary.proto, tensor.proto, tensor_shape.proto, types.proto.
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 };
const SUMMARY = { value: 1 };
const VALUE = { tag: 1, simpleValue: 2, tensor: 8, metadata: 9 };
const METADATA = { pluginData: 1 };
const PLUGIN_DATA = { pluginName: 1 };
const TENSOR = { dtype: 1, shape: 2, stringValue: 8 };
const SHAPE = { dimension: 2 };
const DIMENSION = { size: 1 };
const DT_STRING = 7;

/** Seconds since 1970, and the step. */
export interface EventTime {
  wallTime: number;
  step: number;
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
export function textEvent({ wallTime, step }: EventTime, tag: string, text: string): Uint8Array {
  const plugin = new ProtobufWriter().bytes(PLUGIN_DATA.pluginName, 'text').finish();
  const dimension = new ProtobufWriter().integer(DIMENSION.size, 1).finish();
  const tensor = new ProtobufWriter()
    .integer(TENSOR.dtype, DT_STRING)
    .bytes(TENSOR.shape, new ProtobufWriter().bytes(SHAPE.dimension, dimension).finish())
    .bytes(TENSOR.stringValue, text)
    .finish();
  const value = new ProtobufWriter()
    .bytes(VALUE.tag, tag)
    .bytes(VALUE.tensor, tensor)
    .bytes(VALUE.metadata, new ProtobufWriter().bytes(METADATA.pluginData, plugin).finish())
    .finish();
  return event({ wallTime, step }, new ProtobufWriter().bytes(SUMMARY.value, value).finish());
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
