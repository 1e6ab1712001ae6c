import type { OptionSpec, OptionTable } from './spec';

/** JSON schema of a run's file, for editors. */
export function schemaOf(table: OptionTable, title: string): unknown {
  const properties = Object.entries(table)
    .filter(([, spec]) => spec.secret !== true)
    .map(([key, spec]) => [
      key,
      { ...typeOf(spec), description: spec.help, ...(spec.default === undefined ? {} : { default: spec.default }) },
    ]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    type: 'object',
    properties: { $schema: { type: 'string' }, ...(Object.fromEntries(properties) as object) },
    additionalProperties: false,
  };
}

function typeOf(spec: OptionSpec): object {
  switch (spec.kind) {
    case 'text':
      return { type: 'string', minLength: 1 };
    case 'textOrTrue':
      return { type: ['string', 'boolean'] };
    case 'switch':
      return { type: 'boolean' };
    case 'choice':
      return { enum: spec.choices };
    case 'list':
      return {
        type: 'array',
        items: spec.choices === undefined ? { type: 'string', minLength: 1 } : { enum: spec.choices },
        minItems: 1,
      };
    case 'number':
      return { type: spec.integer ? 'integer' : 'number', minimum: spec.min };
  }
}
