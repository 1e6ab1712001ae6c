import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reasonOf, TrackingError } from '../errors';

/**
 * The password that netrc holds for a host, or undefined. `default` entries are not used: a key goes to the host it is for.
 *
 * @throws TrackingError READ_FAILED where the file exists and can't be read
 */
export async function netrcPassword(
  host: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const path = env['NETRC'] ?? join(env['HOME'] ?? homedir(), '.netrc');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TrackingError('READ_FAILED', reasonOf(error), { place: path });
  }
  let machine: string | undefined;
  // A macro runs to the next empty line and may hold any words.
  const words = text
    .replaceAll(/^\s*macdef[\s\S]*?(?:\n\s*\n|$)/gm, '')
    .replaceAll(/^\s*#.*$/gm, '')
    .split(/\s+/);
  for (let i = 0; i < words.length; i++) {
    if (words[i] === 'machine') machine = words[++i];
    else if (words[i] === 'default') machine = undefined;
    else if (words[i] === 'login' || words[i] === 'account') i++;
    else if (words[i] === 'password') {
      const password = words[++i];
      if (machine === host) return password;
    }
  }
  return undefined;
}
