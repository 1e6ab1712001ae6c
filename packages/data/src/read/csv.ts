import { Dataset } from '../dataset/dataset';
import { DataError, shown } from '../errors';
import { DEFAULT_LIMITS, MAX_COLUMNS, tooLarge, type DataLimits } from '../files/limits';
import { badRowHandler, type BadRows, type Table } from './table';

export interface CsvOptions {
  /** One character between fields; default a comma. */
  delimiter?: string;
  /** The names the header must give, in any order; a file with others is refused. Default: whatever it gives. */
  columns?: readonly string[];
  /** Read the first record as data too and take `columns` as the names. Default false. */
  withoutHeader?: boolean;
  /** What errors call the text, a file name usually; default "CSV text". */
  source?: string;
  /** Default 'error'. */
  onBadRow?: BadRows;
  /** Take a quote inside a field that doesn't begin with one as a letter, as tab-separated files have it. Default false. */
  strayQuotes?: boolean;
  /** Default: DEFAULT_LIMITS. */
  limits?: DataLimits;
}

/** A record and the line on which it starts, counted from 1 as editors do; with the fault of one that can't be read. */
interface CsvRecord {
  fields: string[];
  line: number;
  fault?: DataError;
}

/**
 * Reads comma-separated text (RFC 4180): quoted fields with doubled quotes and line breaks inside, CRLF, LF or CR
 * (mixed as well), a byte-order mark, empty lines between records (skipped, as Python's csv.DictReader does).
 * Nothing is guessed and nothing is repaired: other shapes are errors.
 *
 * @throws DataError `MALFORMED_CSV` naming the line; `UNKNOWN_COLUMN`, `DUPLICATE_COLUMN` about the header
 */
export function parseCsv(text: string, options: CsvOptions = {}): Dataset<Record<string, string>> {
  return readCsv(text, options).dataset as Dataset<Record<string, string>>;
}

/** As `parseCsv`, with the lines of the rows and what was left out. */
export function readCsv(text: string, options: CsvOptions = {}): Table {
  const { delimiter = ',', columns, withoutHeader = false, source = 'CSV text', limits = DEFAULT_LIMITS } = options;
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
  const records = csvRecords(text, { delimiter, source, strayQuotes: options.strayQuotes ?? false });
  const first = withoutHeader ? undefined : records.next();
  if (first?.done === true)
    throw new DataError('MALFORMED_CSV', `${source} is empty: it needs a header line with the column names`);
  const names = first === undefined ? [...columns!] : header(first.value, columns, source);

  const { refuse, skipped } = badRowHandler(options.onBadRow ?? 'error');
  const values = names.map((): string[] => []);
  const numbers: number[] = [];
  for (const { fields, line, fault } of records) {
    const error = fault ?? uneven({ fields, line }, names, { source, delimiter });
    if (error !== undefined) {
      refuse(`${source}, line ${line}`, error);
      continue;
    }
    fields.forEach((field, place) => values[place]!.push(field));
    if (numbers.push(line) * names.length > limits.maxValues)
      throw tooLarge(source, `it has more than ${limits.maxValues} values`);
  }
  const dataset = Dataset.fromColumns(Object.fromEntries(names.map((name, place) => [name, values[place]!])));
  return { dataset, numbers, numbering: 'line', classNames: new Map(), skipped };
}

function uneven(
  { fields, line }: CsvRecord,
  names: readonly string[],
  { source, delimiter }: { readonly source: string; readonly delimiter: string },
): DataError | undefined {
  if (fields.length === names.length) return undefined;
  return new DataError(
    'MALFORMED_CSV',
    `${source}, line ${line}: ${counted(fields.length)} where there are ${names.length} columns (${names.join(', ')}); ` +
      `the record starts with ${shown(fields[0])}. A field with a ${shown(delimiter)} or a line break in it must be quoted`,
    fields,
  );
}

function header({ fields, line, fault }: CsvRecord, columns: readonly string[] | undefined, source: string): string[] {
  if (fault !== undefined) throw fault;
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

interface RecordOptions {
  readonly delimiter: string;
  readonly source: string;
  readonly strayQuotes: boolean;
}

function* csvRecords(
  text: string,
  { delimiter, source, strayQuotes }: RecordOptions,
): Generator<CsvRecord, void, undefined> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const begin = at;
    const start = line;
    const fields: string[] = [];
    let fault: DataError | undefined;
    const fail = (cause: string, value?: string): void => {
      fault = new DataError('MALFORMED_CSV', `${source}, line ${line}: ${cause}`, value);
    };
    while (fault === undefined) {
      if (text[at] === '"') {
        const field = quotedField(text, at);
        if (field === undefined) {
          fail(`a quoted field that starts with ${shown(text.slice(at, at + 40))} is never closed`);
          break;
        }
        fields.push(field.value);
        at = field.end;
        line += field.lineBreaks;
        const next = text[at];
        if (next !== undefined && next !== delimiter && next !== '\n' && next !== '\r') {
          fail(
            `${shown(next)} follows a closing quote, after the field ${shown(field.value)}; a quote inside a field must be doubled ("")`,
            field.value,
          );
        }
      } else {
        const end = fieldEnd(text, at, delimiter);
        const field = text.slice(at, end);
        if (!strayQuotes && field.includes('"')) {
          fail(
            `a quote inside the unquoted field ${shown(field)}; quote the whole field and double the quotes in it`,
            field,
          );
        }
        fields.push(field);
        at = end;
      }
      if (fields.length > MAX_COLUMNS) fail(`more than ${MAX_COLUMNS} fields in one record`);
      if (text[at] !== delimiter) break;
      at += 1;
    }
    if (fault !== undefined) {
      // Whatever is wrong with the record, the next line is taken for the start of another.
      at = lineEnd(text, begin);
      line = start;
    }
    const empty = fault === undefined && fields.length === 1 && fields[0] === '' && text[at - 1] !== '"';
    if (at < text.length) {
      at += text.startsWith('\r\n', at) ? 2 : 1;
      line += 1;
    }
    if (!empty) yield { fields, line: start, fault };
  }
}

function lineEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at++;
  return at;
}

function fieldEnd(text: string, from: number, delimiter: string): number {
  let at = from;
  for (; at < text.length; at++) {
    const character = text[at];
    if (character === delimiter || character === '\n' || character === '\r') break;
  }
  return at;
}

/** Undefined where the quote is never closed. */
function quotedField(text: string, from: number): { value: string; end: number; lineBreaks: number } | undefined {
  for (let at = from + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) return undefined;
    if (text[at + 1] === '"') continue;
    const raw = text.slice(from + 1, at);
    return { value: raw.replaceAll('""', '"'), end: at + 1, lineBreaks: raw.match(/\r\n|\n|\r/g)?.length ?? 0 };
  }
}

function counted(fields: number): string {
  return fields === 1 ? '1 field' : `${fields} fields`;
}
