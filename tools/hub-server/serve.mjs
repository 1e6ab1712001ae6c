import { createHash } from 'node:crypto';
import { createReadStream, existsSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, sep } from 'node:path';
import { pipeline, Transform } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';

/** Files that the hub keeps by LFS: their ETag is the SHA-256, that of others git's id. */
const LFS = /\.(bin|safetensors|gguf|pt|onnx|msgpack|h5)$/;
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Serves the models in a folder on this machine alone.
 *
 * @param {string} folder one model, or `org/model` folders
 * @param {{ port?: number, throttle?: number }} [options] throttle: bytes a second of each connection
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function serveFolder(folder, { port = 0, throttle } = {}) {
  const root = realpathSync(folder);
  const digests = new Map();
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      console.error(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });

  async function answer(request, response) {
    const match = /^\/(?:datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/([^?]+)/.exec(request.url ?? '');
    const model = match === null ? undefined : modelFolder(root, decodeURIComponent(match[1]));
    if (match === null || model === undefined) {
      response.writeHead(401, { 'X-Error-Code': 'RepoNotFound' }).end();
      return;
    }
    // A folder has one state: every branch is it, and so is the commit that it is said to be.
    const commit = createHash('sha1').update(model).digest('hex');
    if (COMMIT.test(match[2]) && match[2] !== commit) {
      response.writeHead(404, { 'X-Error-Code': 'RevisionNotFound' }).end();
      return;
    }
    // As the hub does: pages of other origins may read, and see these headers.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', 'X-Repo-Commit, X-Error-Code, ETag, Content-Range');
    response.setHeader('X-Repo-Commit', commit);
    const path = inside(model, decodeURIComponent(match[3]));
    if (path === undefined) {
      response.writeHead(404, { 'X-Error-Code': 'EntryNotFound' }).end();
      return;
    }
    const { size } = statSync(path);
    response.setHeader('ETag', `"${await digest(path, size)}"`);
    response.setHeader('Accept-Ranges', 'bytes');
    send(request, response, { path, size });
  }

  function digest(path, size) {
    const { mtimeMs } = statSync(path);
    const key = `${path} ${size} ${mtimeMs}`;
    if (!digests.has(key)) digests.set(key, computeDigest(path, size));
    return digests.get(key);
  }

  function send(request, response, { path, size }) {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = range === null ? 0 : Number(range[1]);
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, size) : size;
    if (range !== null && start >= size) {
      response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end();
      return;
    }
    const headers = { 'Content-Length': end - start };
    if (range !== null) headers['Content-Range'] = `bytes ${start}-${end - 1}/${size}`;
    response.writeHead(range === null ? 200 : 206, headers);
    if (request.method === 'HEAD' || end === start) {
      response.end();
      return;
    }
    const stages = [createReadStream(path, { start, end: end - 1 }), ...(throttle ? [slowed(throttle)] : []), response];
    // A client that goes away ends the pipeline; that is its right.
    pipeline(stages, () => undefined);
  }

  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function modelFolder(root, id) {
  const own = inside(root, id, 'folder');
  return own ?? (existsSync(join(root, 'config.json')) ? root : undefined);
}

/** A path below a folder that is there, links followed; undefined for any other. */
function inside(folder, path, kind = 'file') {
  const joined = join(folder, path);
  if (!joined.startsWith(folder + sep) || !existsSync(joined)) return undefined;
  return statSync(joined).isDirectory() === (kind === 'folder') ? joined : undefined;
}

async function computeDigest(path, size) {
  const hash = createHash(LFS.test(path) ? 'sha256' : 'sha1');
  if (!LFS.test(path)) hash.update(`blob ${size}\0`);
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

function slowed(bytesPerSecond) {
  const started = performance.now();
  let sent = 0;
  return new Transform({
    async transform(piece, _, done) {
      sent += piece.length;
      const due = started + (1000 * sent) / bytesPerSecond;
      await wait(Math.max(0, due - performance.now()));
      done(null, piece);
    },
  });
}
