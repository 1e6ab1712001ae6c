import { resolveModel, type ResolveModelOptions } from '@qlora-js/hub/node';
import type { PaddingSettings } from '../data/padding';
import { embeddedBase, EMBEDDED_BASE, openBase, type BaseModel } from '../base/base';

/** Where hub repositories come from: revision, token, cache folder, offline. */
export type HubOptions = Pick<
  ResolveModelOptions,
  'revision' | 'token' | 'cacheDir' | 'offline' | 'endpoint' | 'onProgress'
>;

/** How a base is found by one word. */
export interface FindBaseOptions {
  /** Tokens that texts will have, and the side that is padded. */
  readonly padding: Pick<PaddingSettings, 'maxLength' | 'paddingSide'>;
  /** For a base on the hub. */
  readonly hub?: HubOptions;
}

/** A base by folder or hub id, or the embedded one where the word is left out. */
export async function findBase(
  idOrPath: string | undefined,
  { padding, hub = {} }: FindBaseOptions,
): Promise<BaseModel> {
  if (idOrPath === undefined || idOrPath === EMBEDDED_BASE)
    return openBase(await embeddedBase(), { id: EMBEDDED_BASE, padding });
  const files = await resolveModel(idOrPath, hub);
  return openBase(files, { id: idOrPath, padding, ...(hub.revision === undefined ? {} : { revision: hub.revision }) });
}
