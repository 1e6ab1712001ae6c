import { Dataset } from '../dataset/dataset';
import { DataError, shown } from '../errors';

export interface CsvOptions {
  /** One character between fields; default a comma. */
  delimiter?: string;
  /** The names the header must give, in any order; a file with others is refused. Default: whatever it gives. */
  columns?: readonly string[];
  /** Read the first record as data too and take `columns` as the names. Default false. */
  withoutHeader?: boolean;
  /** What errors call the text, a file name usually; default "CSV text". */
  source?: string;
}

/** A record and the line on which it starts, counted from 1 as editors do. */
interface CsvRecord {
  fields: string[];
  line: number;
}

/**
 * Reads comma-separated text (RFC 4180): quoted fields with doubled quotes and line breaks inside, CRLF, LF or CR
 * (mixed as well), a byte-order mark, empty lines between records (skipped, as Python's csv.DictReader does).
 * Nothing is guessed and nothing is repaired: other shapes are errors.
 *
 * @throws DataError `MALFORMED_CSV` naming the line; `UNKNOWN_COLUMN`, `DUPLICATE_COLUMN` about the header
 */
export function parseCsv(text: string, options: CsvOptions = {}): Dataset<Record<string, string>> {
  const { delimiter = ',', columns, withoutHeader = false, source = 'CSV text' } = options;
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    throw new DataError(
      'INVALID_OPTION',
      `a delimiter is one character, not a quote or a line break; got ${shown(delimiter)}`,
      delimiter,
    );
  }
  if (withoutHeader && columns === undefined) {
    throw new DataError(
      'INVALID_OPTION',
      'CSV without a header needs the option columns: the names to give its fields',
    );
  }
  const records = csvRecords(text, delimiter, source);
  const first = withoutHeader ? undefined : records.next();
  if (first?.done === true)
    throw new DataError('MALFORMED_CSV', `${source} is empty: it needs a header line with the column names`);
  const names = first === undefined ? [...columns!] : header(first.value, columns, source);

  const values = names.map((): string[] => []);
  for (const { fields, line } of records) {
    if (fields.length !== names.length) {
      throw new DataError(
        'MALFORMED_CSV',
        `${source}, line ${line}: ${counted(fields.length)} where there are ${names.length} columns (${names.join(', ')}); ` +
          `the record starts with ${shown(fields[0])}. A field with a ${shown(delimiter)} or a line break in it must be quoted`,
        fields,
      );
    }
    fields.forEach((field, place) => values[place]!.push(field));
  }
  return Dataset.fromColumns(Object.fromEntries(names.map((name, place) => [name, values[place]!])));
}

function header({ fields, line }: CsvRecord, columns: readonly string[] | undefined, source: string): string[] {
  const twice = fields.find((name, place) => fields.indexOf(name) !== place);
  if (twice !== undefined) {
    throw new DataError(
      'DUPLICATE_COLUMN',
      `${source}, line ${line}: the header names the column ${shown(twice)} twice`,
      twice,
    );
  }
  const missing = columns?.filter((name) => !fields.includes(name)) ?? [];
  const extra = columns === undefined ? [] : fields.filter((name) => !columns.includes(name));
  if (missing.length + extra.length > 0) {
    throw new DataError(
      'UNKNOWN_COLUMN',
      `${source}, line ${line}: the header must name the columns ${columns!.join(', ')}; it names ${shown(fields.join(', '))}`,
      fields,
    );
  }
  return fields;
}

function* csvRecords(text: string, delimiter: string, source: string): Generator<CsvRecord, void, undefined> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    for (;;) {
      if (text[at] === '"') {
        const field = quotedField(text, at, line, source);
        fields.push(field.value);
        at = field.end;
        line += field.lineBreaks;
        const next = text[at];
        if (next !== undefined && next !== delimiter && next !== '\n' && next !== '\r') {
          throw new DataError(
            'MALFORMED_CSV',
            `${source}, line ${line}: ${shown(next)} follows a closing quote, after the field ${shown(field.value)}; a quote inside a field must be doubled ("")`,
            field.value,
          );
        }
      } else {
        const end = fieldEnd(text, at, delimiter);
        const field = text.slice(at, end);
        if (field.includes('"')) {
          throw new DataError(
            'MALFORMED_CSV',
            `${source}, line ${line}: a quote inside the unquoted field ${shown(field)}; quote the whole field and double the quotes in it`,
            field,
          );
        }
        fields.push(field);
        at = end;
      }
      if (text[at] !== delimiter) break;
      at += 1;
    }
    const empty = fields.length === 1 && fields[0] === '' && text[at - 1] !== '"';
    if (at < text.length) {
      at += text.startsWith('\r\n', at) ? 2 : 1;
      line += 1;
    }
    if (!empty) yield { fields, line: start };
  }
}

function fieldEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === delimiter || character === '\n' || character === '\r') break;
  }
  return at;
}

function quotedField(
  text: string,
  from: number,
  line: number,
  source: string,
): { value: string; end: number; lineBreaks: number } {
  for (let at = from + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) {
      throw new DataError(
        'MALFORMED_CSV',
        `${source}, line ${line}: a quoted field that starts with ${shown(text.slice(from, from + 40))} is never closed`,
      );
    }
    if (text[at + 1] === '"') continue;
    const raw = text.slice(from + 1, at);
    return { value: raw.replaceAll('""', '"'), end: at + 1, lineBreaks: raw.match(/\r\n|\n|\r/g)?.length ?? 0 };
  }
}

function counted(fields: number): string {
  return fields === 1 ? '1 field' : `${fields} fields`;
}
