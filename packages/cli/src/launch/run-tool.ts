import { execFile } from 'node:child_process';
import { UsageError } from '../errors';

/** Runs a program of an engine, and gives what it printed. @throws UsageError where it is not there, or fails */
export async function runTool(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 64 << 20 }, (cause, printed, complaint) => {
      if (cause === null) return resolve(printed.trim());
      const missing = cause.code === 'ENOENT';
      const problem = missing
        ? `${program} is not on the PATH`
        : `${program} ${args.join(' ')} failed: ${complaint.trim()}`;
      reject(new UsageError('USAGE', problem, { cause }));
    });
    // A program that is not there, or that reads nothing, is said by its end.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
