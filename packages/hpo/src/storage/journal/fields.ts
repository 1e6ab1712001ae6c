import { HpoError, shown } from '../../errors';
import { type JsonValue } from '../../json-value';
import { ownProperty } from '../../own-property';

const isoTime = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{3})\d{0,6})?(Z|[+-]\d\d:\d\d)?$/;

/** A JSON object from a file, read field by field; what is not as it must be throws HpoError `CORRUPT_JOURNAL`. */
export class Fields {
  private readonly record: Readonly<Record<string, JsonValue>>;
  private readonly place: string;

  private constructor(record: Readonly<Record<string, JsonValue>>, place: string) {
    this.record = record;
    this.place = place;
  }

  static of(value: JsonValue | undefined, place: string): Fields {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return new Fields(value as Readonly<Record<string, JsonValue>>, place);
    }
    throw new HpoError('CORRUPT_JOURNAL', `${place} must be an object, but is ${shown(value)}`, { place, value });
  }

  refuse(name: string, need: string): never {
    const value = ownProperty(this.record, name);
    throw new HpoError('CORRUPT_JOURNAL', `${this.place}: ${shown(name)} must be ${need}, but is ${shown(value)}`, {
      place: this.place,
      value,
    });
  }

  has(name: string): boolean {
    return Object.hasOwn(this.record, name);
  }

  /** Whether a field is null or not there. */
  isNull(name: string): boolean {
    return (ownProperty(this.record, name) ?? null) === null;
  }

  keys(): string[] {
    return Object.keys(this.record);
  }

  entries(): [string, JsonValue][] {
    return Object.entries(this.record);
  }

  number(name: string): number {
    const value = ownProperty(this.record, name);
    return typeof value === 'number' ? value : this.refuse(name, 'a number');
  }

  /** An integer of at least 0. */
  index(name: string): number {
    const value = ownProperty(this.record, name);
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
      ? value
      : this.refuse(name, 'an integer of at least 0');
  }

  text(name: string): string {
    const value = ownProperty(this.record, name);
    return typeof value === 'string' ? value : this.refuse(name, 'a string');
  }

  array(name: string): readonly JsonValue[] {
    const value = ownProperty(this.record, name);
    return Array.isArray(value) ? (value as readonly JsonValue[]) : this.refuse(name, 'an array');
  }

  object(name: string): Fields {
    return Fields.of(ownProperty(this.record, name), `${this.place}, ${shown(name)}`);
  }

  /** An object without fields where there is none. */
  optionalObject(name: string): Fields {
    return this.has(name) ? this.object(name) : new Fields({}, this.place);
  }

  /** A time as Python's isoformat writes it; without an offset, local time. JavaScript keeps its milliseconds. */
  time(name: string): Date {
    const need = 'a time in ISO 8601';
    const parts = isoTime.exec(this.text(name)) ?? this.refuse(name, need);
    const [, day, clock, milliseconds = '000', offset = ''] = parts;
    const time = new Date(`${day}T${clock}.${milliseconds}${offset}`);
    return Number.isNaN(time.getTime()) ? this.refuse(name, need) : time;
  }
}
