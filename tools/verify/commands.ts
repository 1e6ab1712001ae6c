import { spawnSync } from 'node:child_process';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Statuses that are no error. Default 0 alone. */
  readonly statuses?: readonly number[];
}

/** Runs a program with its output shown, and gives its status. Throws where it can't start or ends otherwise. */
export function execute(program: string, args: readonly string[], options: CommandOptions = {}): number {
  return spawn(program, args, options, 'inherit').status;
}

/** Runs a program and gives what it printed, without white space at its ends. Throws where it fails. */
export function capture(program: string, args: readonly string[], options: CommandOptions = {}): string {
  return spawn(program, args, options, 'pipe').stdout.trim();
}

function spawn(
  program: string,
  args: readonly string[],
  { cwd, env, statuses = [0] }: CommandOptions,
  stdout: 'inherit' | 'pipe',
): { status: number; stdout: string } {
  const result = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  const line = [program, ...args].join(' ');
  if (result.error) throw new Error(`${line} could not be started: ${result.error.message}`);
  if (result.status === null) throw new Error(`${line} was ended by ${String(result.signal)}`);
  if (!statuses.includes(result.status)) throw new Error(`${line} failed with status ${result.status}`);
  return { status: result.status, stdout: result.stdout ?? '' };
}
