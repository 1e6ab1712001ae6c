import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const TYPESCRIPT = fileURLToPath(new URL('../../../../tools/typescript.mjs', import.meta.url));
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** A command of ours that runs `work` (source text) after it has set its terminal up; `tty` makes it believe in one. */
function start(work: string, { tty = false }: { readonly tty?: boolean } = {}): Child {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  const source = `
    ${tty ? 'process.stderr.isTTY = true;' : ''}
    const { leaveCleanly } = await import(${module('./leave.ts')});
    const { openTerminal } = await import(${module('./output.ts')});
    const output = openTerminal({ progress: true });
    leaveCleanly(() => output.restore());
    ${work}`;
  return spawn(
    process.execPath,
    ['--conditions=@qlora-js/source', '--import', TYPESCRIPT, '--input-type=module', '--eval', source],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

function collect(stream: Readable): { text: string } {
  const collected = { text: '' };
  stream.setEncoding('utf8').on('data', (chunk: string) => (collected.text += chunk));
  return collected;
}

async function ended(child: Child): Promise<unknown[]> {
  return once(child, 'close');
}

/** Draws a bar that goes on until the process ends. */
const BAR = `
  output.bar('train', 100).update(3);
  setInterval(() => undefined, 1000);
  console.log('ready');`;

describe('a command that ends early', () => {
  it('says nothing where its reader has gone away, with the exit code of SIGPIPE', async () => {
    const child = start(`setInterval(() => output.line('x'.repeat(10_000)), 1);`);
    const stderr = collect(child.stderr);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await ended(child)).toEqual([141, null]);
    expect(stderr.text).toBe('');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('gives the cursor back at %s and exits with %i', async (signal, code) => {
    const child = start(BAR, { tty: true });
    const stderr = collect(child.stderr);
    await once(child.stdout, 'data');
    child.kill(signal);
    expect(await ended(child)).toEqual([code, null]);
    expect(stderr.text.split(HIDE_CURSOR)).toHaveLength(2);
    expect(stderr.text.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(stderr.text.lastIndexOf(HIDE_CURSOR));
  });

  it('gives the cursor back where an error ends it', async () => {
    const child = start(`output.bar('train', 100).update(3); throw new Error('broken');`, { tty: true });
    const stderr = collect(child.stderr);
    expect(await ended(child)).toEqual([1, null]);
    expect(stderr.text).toContain('broken');
    expect(stderr.text.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(stderr.text.lastIndexOf(HIDE_CURSOR));
  });
});
