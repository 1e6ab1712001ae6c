import { Hono, type Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Batcher, RefusedError, type BatcherOptions, type Labeller, type Wanted } from './batcher';
import { openApi, type ServiceLimits } from './openapi';

/** What a service is made of. */
export interface ServiceOptions extends BatcherOptions, Omit<ServiceLimits, 'adapters'> {
  /** Labels texts. */
  readonly labeller: Labeller;
  /** Labels by adapter; the first one answers where a request names none. */
  readonly adapters: Readonly<Record<string, readonly string[]>>;
  /** Host names, without ports, that requests may be addressed to: others come from pages that have no business here. */
  readonly allowedHosts: readonly string[];
}

/** A service that can be stopped. */
export interface Service {
  /** Answers requests. */
  readonly app: Hono;
  /** Texts that wait. */
  readonly pending: () => number;
  /** Takes no more requests and finishes those that wait. */
  readonly close: () => Promise<void>;
}

interface Request extends Wanted {
  readonly texts: readonly string[];
}

/** Builds the service; whoever calls this listens. */
export function createService(options: ServiceOptions): Service {
  const { labeller, adapters, allowedHosts, maxBody } = options;
  const batcher = new Batcher(labeller, options);
  const names = Object.keys(adapters);
  let ready = true;
  const app = new Hono();
  app.use(async (context, next) => {
    if (allowedHosts.includes(hostName(context.req.header('host')))) return next();
    return context.json({ error: 'the Host header names another machine; --allowed-hosts adds names' }, 403);
  });
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.get('/ready', (context) =>
    ready ? context.json({ status: 'ready' }) : context.json({ error: 'stopping' }, 503),
  );
  app.get('/adapters', (context) => context.json(adapters));
  app.get('/openapi.json', (context) => context.json(openApi({ ...options, adapters: names }) as object));
  const tooLarge = (context: Context): Response =>
    context.json({ error: `a request has at most ${maxBody} bytes` }, 413);
  app.use('/predict', async (_context, next) => {
    try {
      batcher.checkRoom();
    } catch (error) {
      if (error instanceof RefusedError) return refusal(error);
      throw error;
    }
    return next();
  });
  app.post('/predict', bodyLimit({ maxSize: maxBody, onError: tooLarge }), async (context) => {
    let json: unknown;
    try {
      json = await context.req.json();
    } catch {
      return context.json({ error: 'the request is not JSON' }, 400);
    }
    const request = parseRequest(json, { ...options, adapters: names });
    if (typeof request === 'string') return context.json({ error: request }, 400);
    try {
      const predictions = await batcher.predict(request.texts, request);
      return context.json({
        predictions: predictions.map(({ labels, value }) => (value === undefined ? { labels } : { value })),
      });
    } catch (error) {
      if (error instanceof RefusedError) return refusal(error);
      throw error;
    }
  });
  app.notFound((context) => context.json({ error: 'there is nothing here; see /openapi.json' }, 404));
  app.onError((error, context) => {
    console.error(error);
    return context.json({ error: 'the service has failed at this request' }, 500);
  });
  return {
    app,
    pending: () => batcher.pending,
    close: async () => {
      ready = false;
      await batcher.close();
    },
  };
}

function refusal({ code, retryAfterSeconds }: RefusedError): Response {
  const causes = { FULL: 'too many texts are waiting', CLOSED: 'stopping', TIMEOUT: 'the request has waited too long' };
  const headers = { 'Retry-After': String(retryAfterSeconds) };
  return Response.json({ error: causes[code] }, { status: code === 'FULL' ? 429 : 503, headers });
}

/** The request, or what is wrong with it. */
function parseRequest(json: unknown, { maxTexts, maxCharacters, adapters }: ServiceLimits): Request | string {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'the request is no object';
  const known = ['texts', 'top_k', 'threshold', 'adapter'];
  const odd = Object.keys(json).find((key) => !known.includes(key));
  if (odd !== undefined) return `there is no field ${JSON.stringify(odd.slice(0, 40))}; there are ${known.join(', ')}`;
  const { texts, top_k: topK, threshold, adapter = adapters[0] } = json as Record<string, unknown>;
  if (!Array.isArray(texts) || texts.length === 0 || texts.length > maxTexts)
    return `texts must be a list of 1 to ${maxTexts} texts`;
  const bad = texts.findIndex((text) => typeof text !== 'string' || text.trim() === '' || text.length > maxCharacters);
  if (bad >= 0) return `texts[${bad}] must be a text of 1 to ${maxCharacters} characters`;
  if (topK !== undefined && (typeof topK !== 'number' || !Number.isInteger(topK) || topK < 1))
    return 'top_k must be a whole number of 1 or more';
  if (threshold !== undefined && !(typeof threshold === 'number' && threshold >= 0 && threshold < 1))
    return 'threshold must be a number from 0 to below 1';
  if (typeof adapter !== 'string' || !adapters.includes(adapter))
    return `adapter must be one of ${adapters.join(', ')}`;
  return { texts: texts as string[], topK, threshold, adapter };
}

/** The name in a Host header, without its port. */
function hostName(header: string | undefined): string {
  return (header ?? '').replace(/:\d+$/, '').toLowerCase();
}
