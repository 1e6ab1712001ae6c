import { DEFAULT_THRESHOLD } from '@qlora-js/finetune';

/** What the service's description is filled in with. */
export interface ServiceLimits {
  /** Texts of one request. */
  readonly maxTexts: number;
  /** Characters of one text. */
  readonly maxCharacters: number;
  /** Bytes of one request. */
  readonly maxBody: number;
  /** Names of the adapters. */
  readonly adapters: readonly string[];
}

/** The service in OpenAPI 3.1. */
export function openApi({ maxTexts, maxCharacters, adapters }: ServiceLimits): unknown {
  const error = (description: string, headers?: object): object => ({
    description,
    ...(headers === undefined ? {} : { headers }),
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  });
  const json = (schema: object, description: string): object => ({
    description,
    content: { 'application/json': { schema } },
  });
  const retry = { 'Retry-After': { description: 'seconds', schema: { type: 'integer' } } };
  return {
    openapi: '3.1.0',
    info: { title: 'qlora serve', version: '1', description: 'Labels texts with LoRA adapters on one resident base.' },
    paths: {
      '/predict': {
        post: {
          summary: 'Labels texts',
          requestBody: {
            required: true,
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Request' } } },
          },
          responses: {
            200: json({ $ref: '#/components/schemas/Response' }, 'labels in the order of the texts'),
            400: error('the request can not be understood'),
            403: error('the Host header names another machine'),
            413: error('the request is too large'),
            429: error('too many texts are waiting', retry),
            503: error('the service is stopping, or the request has waited too long', retry),
          },
        },
      },
      '/adapters': {
        get: {
          summary: 'Adapters and their labels',
          responses: { 200: json({ type: 'object' }, 'labels by adapter') },
        },
      },
      '/health': {
        get: { summary: 'Whether the process lives', responses: { 200: json({ type: 'object' }, 'it does') } },
      },
      '/ready': {
        get: {
          summary: 'Whether requests are taken',
          responses: { 200: json({ type: 'object' }, 'they are'), 503: error('they are not') },
        },
      },
    },
    components: {
      schemas: {
        Request: {
          type: 'object',
          required: ['texts'],
          additionalProperties: false,
          properties: {
            texts: {
              type: 'array',
              minItems: 1,
              maxItems: maxTexts,
              items: { type: 'string', minLength: 1, maxLength: maxCharacters },
            },
            top_k: {
              type: 'integer',
              minimum: 1,
              description:
                'labels of a text, at most; left out, 1, or all above the threshold where there may be several',
            },
            threshold: {
              type: 'number',
              minimum: 0,
              exclusiveMaximum: 1,
              default: DEFAULT_THRESHOLD,
              description: 'probability above which a text has a label, where it may have several',
            },
            adapter: { type: 'string', enum: adapters },
          },
        },
        Response: {
          type: 'object',
          properties: {
            predictions: {
              type: 'array',
              items: {
                type: 'object',
                description: 'labels, or the number of an adapter that has learnt a regression',
                properties: {
                  value: { type: 'number' },
                  labels: {
                    type: 'array',
                    items: {
                      type: 'object',
                      properties: { label: { type: 'string' }, probability: { type: 'number' } },
                    },
                  },
                },
              },
            },
          },
        },
        Error: { type: 'object', properties: { error: { type: 'string' } } },
      },
    },
  };
}
