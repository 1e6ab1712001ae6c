import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from './commands';

/** What a result file says of its run; those of machines of their own, which another command wrote, lack the command. */
interface Result {
  readonly command?: string;
  readonly date: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
}

/** Puts the last run of every verification between the marks of docs/testing.md, from the files of docs/verify. */
export function writeResultsTable(root: string): void {
  const folder = join(root, 'docs/verify');
  const rows = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file): [string, Result] => [file, JSON.parse(readFileSync(join(folder, file), 'utf8')) as Result])
    .filter(([, { command }]) => command !== undefined)
    .map(
      ([file, { command, date, seconds, passed, failed }]) =>
        `| [\`${command?.replace('npm run verify -- ', '')}\`](verify/${file}) | ${date} | ${passed} | ${failed} | ${seconds} s |`,
    );
  const path = join(root, 'docs/testing.md');
  const [start, end] = ['<!-- verifications: begin -->', '<!-- verifications: end -->'];
  const text = readFileSync(path, 'utf8');
  const table = ['| name | last run | passed | failed | took |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
  const [before, after] = [text.slice(0, text.indexOf(start) + start.length), text.slice(text.indexOf(end))];
  writeFileSync(path, `${before}\n\n${table}\n\n${after}`);
  execute(join(root, 'node_modules/.bin/prettier'), ['--write', '--log-level', 'warn', path]);
}
