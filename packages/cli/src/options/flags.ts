import { InvalidArgumentError, Option, type Command } from 'commander';
import { flagOf, type OptionSpec, type OptionTable } from './spec';

/** Gives a command the flags of a table; the defaults are only shown, so that a run's file can set what a flag does not. */
export function addFlags(command: Command, table: OptionTable, defaults: Readonly<Record<string, unknown>>): void {
  for (const group of new Set(Object.values(table).map((spec) => spec.group))) {
    command.optionsGroup(group);
    for (const [key, spec] of Object.entries(table)) {
      if (spec.group === group) command.addOption(optionOf(key, spec, defaults[key]));
    }
  }
}

function optionOf(key: string, spec: OptionSpec, preset: unknown): Option {
  const flag = flagOf(key, spec);
  const shown = Array.isArray(preset) ? preset.join(' ') : String(preset);
  const help =
    preset === undefined || spec.kind === 'switch' || preset === false ? spec.help : `${spec.help} (default: ${shown})`;
  switch (spec.kind) {
    case 'text':
      return new Option(`${flag} <${spec.placeholder}>`, help);
    case 'textOrTrue':
      return new Option(`${flag} [${spec.placeholder}]`, help);
    case 'switch':
      return new Option(flag, help);
    case 'choice':
      return new Option(`${flag} <name>`, help).choices(spec.choices);
    case 'list':
      return spec.choices === undefined
        ? new Option(`${flag} <names...>`, help)
        : new Option(`${flag} <names...>`, `${help} (${spec.choices.join(', ')})`).argParser(splitNames);
    case 'number':
      return new Option(`${flag} <number>`, help).argParser(parseNumber);
  }
}

/** The flags that were given: commander turns `--no-x` into x: true by default, which is nobody's choice. */
export function givenFlags(command: Command, table: OptionTable): Record<string, unknown> {
  const values: Record<string, unknown> = command.opts();
  const given = Object.keys(table).filter((key) => command.getOptionValueSource(key) === 'cli');
  return Object.fromEntries(given.map((key) => [key, values[key]]));
}

/** Words with commas between them, beside those before. */
function splitNames(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(',').filter((name) => name !== '')];
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('a number is needed.');
  return value;
}
