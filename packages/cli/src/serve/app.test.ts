import type { Prediction, PredictOptions } from '@qlora-js/finetune';
import { describe, expect, it } from 'vitest';
import { createService, type Service } from './app';
import type { Labeller } from './batcher';

/** A labeller that works when it is told to. */
class Held implements Labeller {
  /** Texts of each pass. */
  readonly passes: string[][] = [];
  private free: (() => void)[] = [];

  async predict(
    texts: readonly string[],
    { topK = 1, threshold = 0.5, adapter }: PredictOptions,
  ): Promise<Prediction[]> {
    this.passes.push([...texts]);
    await new Promise<void>((resolve) => this.free.push(resolve));
    if (texts.includes('broken')) throw new Error('no such token');
    if (adapter === 'number') return texts.map((text) => ({ text, labels: [], value: text.length + threshold }));
    return texts.map((text) => ({
      text,
      labels: ['first', 'second', 'third']
        .slice(0, topK)
        .map((label) => ({ label: `${adapter} ${label} of ${text}`, probability: 0.5 })),
    }));
  }

  /** Lets the passes that wait finish, and those that follow, until nothing waits. */
  async release(): Promise<void> {
    for (let idle = 0; idle < 20; idle++) {
      if (this.free.length > 0) idle = 0;
      for (const finish of this.free.splice(0)) finish();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function start(changed: Partial<Parameters<typeof createService>[0]> = {}): { service: Service; held: Held } {
  const held = new Held();
  const service = createService({
    labeller: held,
    adapters: { a: ['x', 'y'], b: ['z'] },
    allowedHosts: ['localhost'],
    maxBatch: 4,
    maxQueue: 6,
    maxTexts: 3,
    maxCharacters: 20,
    maxBody: 1000,
    timeoutSeconds: 30,
    ...changed,
  });
  return { service, held };
}

const ask = (service: Service, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  Promise.resolve(
    service.app.request('/predict', {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { Host: 'localhost:8000', 'Content-Type': 'application/json', ...headers },
    }),
  );

describe('the service', () => {
  it('labels the texts of many requests in one pass, each adapter its own, and gives each its answers', async () => {
    const { service, held } = start();
    const requests = [
      ask(service, { texts: ['one'], top_k: 2 }),
      ask(service, { texts: ['two', 'three'], top_k: 1 }),
      ask(service, { texts: ['four'], adapter: 'b' }),
    ];
    await held.release();
    const answers = await Promise.all(requests.map(async (request): Promise<unknown> => (await request).json()));
    expect(held.passes).toEqual([['one', 'two', 'three'], ['four']]);
    const labels = (texts: string[], names: string[], adapter: string): unknown => ({
      predictions: texts.map((text) => ({
        labels: names.map((name) => ({ label: `${adapter} ${name} of ${text}`, probability: 0.5 })),
      })),
    });
    expect(answers).toEqual([
      labels(['one'], ['first', 'second'], 'a'),
      labels(['two', 'three'], ['first'], 'a'),
      labels(['four'], ['first'], 'b'),
    ]);
  });

  it('keeps what is labelled in another way apart, and answers with numbers where an adapter predicts them', async () => {
    const { service, held } = start({ adapters: { a: ['x', 'y'], number: ['stars'] } });
    const requests = [
      ask(service, { texts: ['one'] }),
      ask(service, { texts: ['two'], top_k: 3 }),
      ask(service, { texts: ['three'], adapter: 'number', threshold: 0.25 }),
      ask(service, { texts: ['four'], adapter: 'number' }),
    ];
    await held.release();
    const answers = await Promise.all(requests.map(async (request): Promise<unknown> => (await request).json()));
    expect(held.passes).toEqual([['one'], ['two'], ['three'], ['four']]);
    expect(answers).toMatchObject([
      { predictions: [{ labels: [{}] }] },
      { predictions: [{ labels: [{}, {}, {}] }] },
      { predictions: [{ value: 5.25 }] },
      { predictions: [{ value: 4.5 }] },
    ]);
    expect(JSON.stringify(answers[2])).not.toContain('labels');
  });

  it('answers 429 with Retry-After where too many texts wait, and takes requests again later', async () => {
    const { service, held } = start();
    const taken = [ask(service, { texts: ['1', '2', '3'] }), ask(service, { texts: ['4', '5', '6'] })];
    const refused = await ask(service, { texts: ['7'] });
    expect(refused.status).toBe(429);
    // What does not fit is not even read.
    expect((await ask(service, 'no JSON')).status).toBe(429);
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThanOrEqual(1);
    await held.release();
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual([200, 200]);
    const later = ask(service, { texts: ['8'] });
    await held.release();
    expect((await later).status).toBe(200);
  });

  it('gives up on requests that have waited too long', async () => {
    const { service, held } = start({ timeoutSeconds: 0.000001 });
    const request = ask(service, { texts: ['late'] });
    await held.release();
    const answer = await request;
    expect([answer.status, held.passes]).toEqual([503, []]);
    expect(answer.headers.get('Retry-After')).toBe('1');
  });

  it('finishes what waits when it stops, and takes no more', async () => {
    const { service, held } = start();
    const request = ask(service, { texts: ['last'] });
    await new Promise((resolve) => setImmediate(resolve));
    const closed = service.close();
    expect((await ask(service, { texts: ['too late'] })).status).toBe(503);
    expect((await service.app.request('/ready', { headers: { Host: 'localhost' } })).status).toBe(503);
    await held.release();
    expect((await request).status).toBe(200);
    await closed;
    expect(service.pending()).toBe(0);
  });

  it.each<[string, unknown, Record<string, string>, number, string]>([
    ['another host', { texts: ['a'] }, { Host: 'evil.example' }, 403, 'Host header'],
    ['no JSON', 'texts', {}, 400, 'not JSON'],
    ['no texts', {}, {}, 400, 'texts must be a list of 1 to 3'],
    ['too many texts', { texts: ['a', 'b', 'c', 'd'] }, {}, 400, 'texts must be a list'],
    ['an empty text', { texts: ['a', ' '] }, {}, 400, 'texts[1] must be a text of 1 to 20'],
    ['a text too long', { texts: ['a'.repeat(21)] }, {}, 400, 'texts[0]'],
    ['an odd field', { texts: ['a'], topK: 2 }, {}, 400, 'there is no field "topK"'],
    ['an adapter that is not there', { texts: ['a'], adapter: 'c' }, {}, 400, 'one of a, b'],
    ['a bad threshold', { texts: ['a'], threshold: 1 }, {}, 400, 'threshold'],
    ['a bad top_k', { texts: ['a'], top_k: 0 }, {}, 400, 'top_k'],
    ['too many bytes', `{"texts": ["${'a'.repeat(2000)}"]}`, {}, 413, 'at most 1000 bytes'],
  ])('refuses %s', async (_, body, headers, status, message) => {
    const { service, held } = start();
    const answer = await ask(service, body, headers);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: string }).error).toContain(message);
    expect(held.passes).toEqual([]);
  });

  it('describes itself', async () => {
    const { service } = start({ maxTexts: 7 });
    const get = (path: string): Promise<unknown> =>
      Promise.resolve(service.app.request(path, { headers: { Host: 'localhost' } })).then((answer) => answer.json());
    const description = (await get('/openapi.json')) as {
      paths: object;
      components: { schemas: { Request: { properties: { texts: { maxItems: number } } } } };
    };
    expect(Object.keys(description.paths)).toEqual(['/predict', '/adapters', '/health', '/ready']);
    expect(description.components.schemas.Request.properties.texts.maxItems).toBe(7);
    expect(await get('/health')).toEqual({ status: 'ok' });
    expect(await get('/ready')).toEqual({ status: 'ready' });
    expect(await get('/adapters')).toEqual({ a: ['x', 'y'], b: ['z'] });
    expect(await get('/none')).toEqual({ error: expect.stringContaining('/openapi.json') as string });
  });
});
