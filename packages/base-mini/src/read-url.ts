import { BaseMiniError } from './errors';

/** The bytes of a file beside this module: from disk for file: URLs, fetched otherwise. */
export async function readUrl(url: URL): Promise<Uint8Array> {
  try {
    return url.protocol === 'file:' ? await readFile(url) : await fetchBytes(url);
  } catch (error) {
    if (error instanceof BaseMiniError) throw error;
    throw unreadable(url, (error as Error).message, error);
  }
}

/** Not imported, so that a bundle for browsers has no trace of Node's modules. */
async function readFile(url: URL): Promise<Uint8Array> {
  const node = typeof process === 'object' ? process : undefined;
  if (node?.getBuiltinModule === undefined) throw unreadable(url, 'this runtime gives no access to files');
  // A plain Uint8Array: a Buffer's slice() is a view where a reader expects a copy.
  return new Uint8Array(await node.getBuiltinModule('node:fs').promises.readFile(url));
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw unreadable(url, `the server answered ${response.status}`);
  // Servers of single pages answer every unknown address with their page and a status of 200.
  if (response.headers.get('content-type')?.startsWith('text/html') === true) {
    throw unreadable(url, 'the server answered with a page');
  }
  return new Uint8Array(await response.arrayBuffer());
}

function unreadable(url: URL, problem: string, cause?: unknown): BaseMiniError {
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  return new BaseMiniError(
    'UNREADABLE',
    `@qlora-js/base-mini: can't read its file ${name} (${problem}). Install the package again, or have the page's server deliver its folder weights/; vite's dev server does with optimizeDeps: { exclude: ['@qlora-js/base-mini'] }.`,
    { cause },
  );
}
