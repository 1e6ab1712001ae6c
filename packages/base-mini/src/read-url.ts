import { BaseMiniError } from './errors';

/** Called as bytes of a file arrive; `total` is undefined where the server does not say. */
export type ReadProgress = (loaded: number, total: number | undefined) => void;

/** The bytes of a file beside this module: from disk for file: URLs, fetched otherwise. */
export async function readUrl(url: URL, onProgress?: ReadProgress): Promise<Uint8Array> {
  try {
    return url.protocol === 'file:' ? await readFile(url) : await fetchBytes(url, onProgress);
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

async function fetchBytes(url: URL, onProgress: ReadProgress | undefined): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw unreadable(url, `the server answered ${response.status}`);
  // Servers of single pages answer every unknown address with their page and a status of 200.
  if (response.headers.get('content-type')?.startsWith('text/html') === true) {
    throw unreadable(url, 'the server answered with a page');
  }
  if (onProgress === undefined || response.body === null) return new Uint8Array(await response.arrayBuffer());
  return streamed(response.body, lengthOf(response), onProgress);
}

/** Bytes that the body will have; a packed body's header counts the packed ones. */
function lengthOf({ headers }: Response): number | undefined {
  const length = headers.get('content-length');
  return length === null || headers.has('content-encoding') ? undefined : Number(length);
}

async function streamed(
  body: ReadableStream<Uint8Array>,
  total: number | undefined,
  onProgress: ReadProgress,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress(loaded, total);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function unreadable(url: URL, problem: string, cause?: unknown): BaseMiniError {
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  return new BaseMiniError(
    'UNREADABLE',
    `@qlora-js/base-mini: can't read its file ${name} (${problem}). Install the package again, or have the page's server deliver its folder weights/; vite's dev server does with optimizeDeps: { exclude: ['@qlora-js/base-mini'] }.`,
    { cause },
  );
}
