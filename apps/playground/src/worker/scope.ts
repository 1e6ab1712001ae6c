import type { MessageTarget } from '@qlora-js/trainer';

/** This worker's own scope, which the DOM's types don't know. */
export const scope = self as unknown as MessageTarget & { readonly name: string };

/** Names that workers are started under: what their one module is to do. */
export const ROLES = { first: 'run a', second: 'run b', replica: 'replica' } as const;
