import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a server does with a request in place of its own answer: a status, a text, a redirect, or silence. */
export type Trouble =
  | { readonly status: number; readonly text?: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly silence: true }
  /** Does the work, then breaks off before the answer. */
  | { readonly lostAnswer: true };

/** A server on 127.0.0.1 that keeps what it is asked. */
export class LoopbackServer {
  /** Every request, in the order they came. */
  readonly requests: SeenRequest[] = [];
  /** Asked before each request; undefined lets it through. */
  trouble: (request: SeenRequest) => Trouble | undefined | Promise<undefined> = () => undefined;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** @param answer the JSON to answer a request with, or undefined for 404 */
  static async start(answer: (request: SeenRequest, base: string) => unknown): Promise<LoopbackServer> {
    const server = createServer();
    const loopback = new LoopbackServer(server);
    server.on('connection', (socket) => {
      loopback.sockets.add(socket);
      socket.on('close', () => loopback.sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const raw = Buffer.concat(chunks);
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
        const { method = '', url = '', headers } = request;
        void loopback.handle({ method, url, headers, body }, { answer, response });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return loopback;
  }

  /** Address without a slash at its end. */
  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(
    request: SeenRequest,
    { answer, response }: { answer: (request: SeenRequest, base: string) => unknown; response: ServerResponse },
  ): Promise<void> {
    this.requests.push(request);
    const trouble = await this.trouble(request);
    if (trouble !== undefined && 'silence' in trouble) return;
    if (trouble !== undefined && 'status' in trouble) {
      response.writeHead(trouble.status, { ...trouble.headers });
      response.end(trouble.text ?? '');
      return;
    }
    const given = answer(request, this.base);
    if (trouble !== undefined) {
      response.destroy();
      return;
    }
    response.writeHead(given === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(given ?? { error: 'not found' }));
  }
}

/** The address of a port that nothing listens on. */
export async function deadAddress(): Promise<string> {
  const server = await LoopbackServer.start(() => undefined);
  const { base } = server;
  await server.close();
  return base;
}
