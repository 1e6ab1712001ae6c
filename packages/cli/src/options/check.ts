import leven from 'leven';
import { UsageError } from '../errors';
import { withoutPassword } from './password';
import { flagOf, type OptionSpec, type OptionTable } from './spec';

/** Where values come from, in words: a file, the command line. */
export interface OptionSource {
  /** What errors and `--print-config` call it. */
  readonly place: string;
  /** Whether its keys are flags to the person who wrote them. */
  readonly flags: boolean;
  /** Values by key; undefined ones are not there. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** The values of a table, and where each comes from. */
export interface ResolvedOptions<Values> {
  /** The values. */
  readonly values: Values;
  /** Place by key; `default` for those that nobody set. */
  readonly places: Readonly<Record<keyof Values & string, string>>;
}

/**
 * Later sources go before earlier ones, and all before the defaults. Values are checked in type and range.
 * @throws UsageError naming place, option and what is needed; an unknown key with the nearest known one
 */
export function resolveOptions<Values>(
  table: OptionTable,
  defaults: Readonly<Record<string, unknown>>,
  sources: readonly OptionSource[],
): ResolvedOptions<Values> {
  const values: Record<string, unknown> = { ...defaults };
  const places: Record<string, string> = Object.fromEntries(Object.keys(table).map((key) => [key, 'default']));
  for (const source of sources) {
    for (const [key, value] of Object.entries(source.values)) {
      if (value === undefined) continue;
      const spec = Object.hasOwn(table, key) ? table[key]! : undefined;
      if (spec === undefined) throw unknownOption(key, table, source.place);
      values[key] = checkedValue(key, value, { spec, source });
      places[key] = source.place;
    }
  }
  return { values: values as Values, places: places as ResolvedOptions<Values>['places'] };
}

function unknownOption(key: string, table: OptionTable, place: string): UsageError {
  const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const near = Object.keys(table).find((known) => leven(plain(known), plain(key)) <= 2);
  const hint = near === undefined ? 'see --help for those there are' : `did you mean ${near}?`;
  return new UsageError('USAGE', `${place}: there is no option ${JSON.stringify(key)}; ${hint}`, { value: key });
}

function checkedValue(
  key: string,
  value: unknown,
  { spec, source }: { readonly spec: OptionSpec; readonly source: OptionSource },
): unknown {
  const name = source.flags ? flagOf(key) : key;
  const fail = (wanted: string): never => {
    throw new UsageError('USAGE', `${source.place}: ${name} is ${JSON.stringify(value)}, but ${wanted} is needed`, {
      value,
    });
  };
  const text = typeof value === 'string' && value !== '';
  switch (spec.kind) {
    case 'text':
      return text ? value : fail('a text');
    case 'textOrTrue':
      return text || typeof value === 'boolean' ? value : fail('a text, or true or false');
    case 'switch':
      return typeof value === 'boolean' ? value : fail('true or false');
    case 'choice':
      return spec.choices.includes(value as string) ? value : fail(`one of ${spec.choices.join(', ')}`);
    case 'list':
      if (!Array.isArray(value) || value.length === 0) return fail('a list of names');
      if (!value.every((entry) => typeof entry === 'string' && entry !== '')) return fail('a list of names');
      if (spec.choices !== undefined && !value.every((entry) => spec.choices!.includes(entry as string)))
        return fail(`a list of ${spec.choices.join(', ')}`);
      return value;
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) return fail(`a number of ${spec.min} or more`);
      if (spec.integer && !Number.isInteger(value)) return fail('a whole number');
      return value >= spec.min ? value : fail(`a number of ${spec.min} or more`);
  }
}

/** The command line that gives the same options, without secrets: for records of what was run. */
export function commandLine(command: string, { values, places }: ResolvedOptions<unknown>, table: OptionTable): string {
  const words = Object.entries(table).flatMap(([key, spec]) => {
    const value = (values as Record<string, unknown>)[key];
    if (spec.secret || (places as Record<string, string>)[key] === 'default') return [];
    const flag = flagOf(key, spec);
    if (spec.kind === 'switch') return value === spec.default ? [] : [flag];
    if (value === false) return [];
    return value === true ? [flag] : [flag, ...[value].flat().map(quoted)];
  });
  return [command, ...words].join(' ');
}

/** A word as a shell takes it, without a URL's password. */
export function quoted(value: unknown): string {
  const text = withoutPassword(String(value));
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Options with their values and where each comes from, one a line; secrets are not shown. */
export function printedConfig({ values, places }: ResolvedOptions<unknown>, table: OptionTable): string {
  const rows = Object.entries(table).map(([key, spec]) => {
    const value = (values as Record<string, unknown>)[key];
    const shown =
      spec.secret && value !== undefined
        ? '(set)'
        : JSON.stringify(value ?? null, (_, part: unknown) =>
            typeof part === 'string' ? withoutPassword(part) : part,
          );
    return [key, shown, (places as Record<string, string>)[key]!] as const;
  });
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => row[column].length));
  const [keys, shown] = [width(0), Math.min(40, width(1))];
  return rows.map(([key, value, place]) => `${key.padEnd(keys)}  ${value.padEnd(shown)}  ${place}`).join('\n');
}
