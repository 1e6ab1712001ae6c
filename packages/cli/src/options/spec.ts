/** What every option has. */
interface Common {
  /** One line for the help, the file's schema and the documentation. */
  readonly help: string;
  /** Heading of the long help that it stands under. */
  readonly group: string;
  /** Shown in the first help too. */
  readonly basic?: true;
  /** Never printed or written: its value is a secret. */
  readonly secret?: true;
}

/** A text, such as a path or a name. */
export interface TextSpec extends Common {
  /** Marks the kind. */
  readonly kind: 'text';
  /** What the help calls the value. */
  readonly placeholder: string;
  /** undefined where there is none. */
  readonly default: string | undefined;
}

/** A text, or the flag alone. */
export interface TextOrTrueSpec extends Common {
  /** Marks the kind. */
  readonly kind: 'textOrTrue';
  /** What the help calls the value. */
  readonly placeholder: string;
  /** What counts without the flag. */
  readonly default: string | boolean;
}

/** A number. */
export interface NumberSpec extends Common {
  /** Marks the kind. */
  readonly kind: 'number';
  /** Only whole numbers. */
  readonly integer?: true;
  /** Smallest that is taken. */
  readonly min: number;
  /** undefined where there is none. */
  readonly default: number | undefined;
}

/** Yes or no; one that is true by default has a flag `--no-...`. */
export interface SwitchSpec extends Common {
  /** Marks the kind. */
  readonly kind: 'switch';
  /** What counts without the flag. */
  readonly default: boolean;
}

/** One of a few names. */
export interface ChoiceSpec<Name extends string = string> extends Common {
  /** Marks the kind. */
  readonly kind: 'choice';
  /** The names. */
  readonly choices: readonly Name[];
  /** undefined where there is none. */
  readonly default: Name | undefined;
}

/** Several names. */
export interface ListSpec extends Common {
  /** Marks the kind. */
  readonly kind: 'list';
  /** The names there are, where not any will do; commas may stand between them. */
  readonly choices?: readonly string[];
  /** undefined where there is none. */
  readonly default: readonly string[] | undefined;
}

/** One option: what gives its flag, its key in a run's file, its type, its help and its schema. */
export type OptionSpec = TextSpec | TextOrTrueSpec | NumberSpec | SwitchSpec | ChoiceSpec | ListSpec;

/** Options by the key they have in a run's file; the flag is the same with dashes. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

type ValueOf<Spec extends OptionSpec> =
  Spec extends ChoiceSpec<infer Name>
    ? Name
    : Spec extends NumberSpec
      ? number
      : Spec extends SwitchSpec
        ? boolean
        : Spec extends ListSpec
          ? readonly string[]
          : Spec extends TextOrTrueSpec
            ? string | boolean
            : string;

/** The values that a table asks for. One without a default may be undefined. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Key in keyof Table]: undefined extends Table[Key]['default']
    ? ValueOf<Table[Key]> | undefined
    : ValueOf<Table[Key]>;
};

/** `loraAlpha` as `--lora-alpha`; `--no-lora-alpha` for a switch that is on by default. */
export function flagOf(key: string, spec?: OptionSpec): string {
  const words = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return spec?.kind === 'switch' && spec.default ? `--no-${words}` : `--${words}`;
}

/** The defaults of a table. */
export function defaultsOf<Table extends OptionTable>(table: Table): OptionValues<Table> {
  return Object.fromEntries(Object.entries(table).map(([key, spec]) => [key, spec.default])) as OptionValues<Table>;
}
