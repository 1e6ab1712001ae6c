import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './commands';

/**
 * A Python with the packages of a requirements file, in a virtual environment below `cache` that is made anew when the
 * file changes; its path. QLORA_PYTHON names the Python to make it from.
 */
export function installPython(cache: string, requirements: string): string {
  const folder = join(cache, 'venv');
  const python = join(folder, 'bin/python');
  once(folder, readFileSync(requirements, 'utf8'), () => {
    execute(process.env['QLORA_PYTHON'] ?? 'python3', ['-m', 'venv', folder]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    execute(python, [...pip, '-r', requirements]);
  });
  return python;
}

export interface NpmOptions {
  /** Lets the packages' own install scripts run, which the repository's install never does. Default false. */
  readonly scripts?: boolean;
}

/** A folder below `cache` with npm packages at exact versions in its node_modules, installed anew when they change. */
export function installNpm(
  cache: string,
  packages: Readonly<Record<string, string>>,
  { scripts = false }: NpmOptions = {},
): string {
  const folder = join(cache, 'npm');
  const manifest = JSON.stringify({ private: true, type: 'module', dependencies: packages }, undefined, 2);
  once(folder, `${manifest} ${String(scripts)}`, () => {
    writeFileSync(join(folder, 'package.json'), manifest);
    const flags = ['--no-audit', '--no-fund', '--loglevel', 'error', ...(scripts ? [] : ['--ignore-scripts'])];
    execute('npm', ['install', ...flags], { cwd: folder });
  });
  return folder;
}

/** Fills a folder, unless it was filled to its end from the same content before. */
function once(folder: string, content: string, fill: () => void): void {
  const stamp = join(folder, '.filled');
  const digest = createHash('sha256').update(content).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  fill();
  writeFileSync(stamp, digest);
}
