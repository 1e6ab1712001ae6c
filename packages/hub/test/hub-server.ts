import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
}

/** A loopback server; `url` has no slash at its end. */
export interface TestServer {
  url: string;
  seen: SeenRequest[];
  close(): Promise<void>;
}

export async function serve(answer: (request: SeenRequest, response: ServerResponse) => void): Promise<TestServer> {
  const seen: SeenRequest[] = [];
  const server: Server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers });
    answer(seen.at(-1)!, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends a body as a server with Range support does: 206 with Content-Range, 416 past the end, else 200. */
export function sendBytes(request: SeenRequest, response: ServerResponse, body: Uint8Array): void {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = match === null ? 0 : Number(match[1]);
  if (match !== null && start >= body.length) {
    response.writeHead(416, { 'Content-Range': `bytes */${body.length}` }).end();
    return;
  }
  const end = match?.[2] ? Math.min(Number(match[2]) + 1, body.length) : body.length;
  const headers: Record<string, string | number> = { 'Content-Length': end - start };
  if (match !== null) headers['Content-Range'] = `bytes ${start}-${end - 1}/${body.length}`;
  response.writeHead(match === null ? 200 : 206, headers);
  response.end(request.method === 'HEAD' ? undefined : body.subarray(start, end));
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const gitId = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

export interface TestHub extends TestServer {
  /** The other host, which LFS files are redirected to. */
  storage: TestServer;
  commit: string;
  files: Map<string, Uint8Array>;
  /** Answers the next requests instead of the server; each is used once, undefined passes one on. */
  interrupts: ((request: SeenRequest, response: ServerResponse) => boolean)[];
  /** Answers all requests to the other host, where it is set. */
  intercept?: (request: SeenRequest, response: ServerResponse) => void;
}

/** A hub with one repository, `org/model` and also `datasets/org/set`: `.bin` and `.safetensors` are LFS files on another host, the rest is its own. */
export async function serveHub(files: Record<string, Uint8Array | string>): Promise<TestHub> {
  const contents = new Map(
    Object.entries(files).map(([path, body]) => [path, typeof body === 'string' ? Buffer.from(body) : body]),
  );
  const storage = await serve((request, response) => {
    if (hub.interrupts[0]?.(request, response)) hub.interrupts.shift();
    else if (hub.intercept !== undefined) hub.intercept(request, response);
    else sendBytes(request, response, contents.get(new URL(request.url, 'http://x').pathname.slice(1))!);
  });
  const server = await serve((request, response) => {
    if (hub.interrupts[0]?.(request, response)) {
      hub.interrupts.shift();
      return;
    }
    const match = /^\/(?:org\/model|datasets\/org\/set)\/resolve\/([^/]+)\/(.+)$/.exec(request.url);
    const path = decodeURIComponent(match?.[2] ?? '');
    const body = contents.get(path);
    const known = match !== null && ['main', hub.commit].includes(match[1]!);
    if (known) response.setHeader('X-Repo-Commit', hub.commit);
    if (body === undefined || !known) {
      const kind = match === null ? 'RepoNotFound' : known ? 'EntryNotFound' : 'RevisionNotFound';
      response.writeHead(match === null ? 401 : 404, { 'X-Error-Code': kind }).end();
    } else if (/\.(bin|safetensors)$/.test(path)) {
      response.writeHead(302, {
        Location: `${storage.url}/${path}?Signature=secret-signature`,
        'X-Linked-Size': body.length,
        'X-Linked-ETag': `"${sha256(body)}"`,
        ETag: '"of-the-redirect"',
      });
      response.end();
    } else {
      response.setHeader('ETag', `W/"${gitId(body)}"`);
      sendBytes(request, response, body);
    }
  });
  const hub: TestHub = {
    ...server,
    storage,
    commit: '0123456789abcdef0123456789abcdef01234567',
    files: contents,
    interrupts: [],
    close: async () => {
      await server.close();
      await storage.close();
    },
  };
  return hub;
}
