import { HubError } from '../error';
import { type ModelFiles } from '../files/model-files';
import { isDatasetId } from '../http/url';
import { fileSource } from './file-source';
import { ggufFiles } from '../gguf/files';
import { folderFiles, pathKind } from './folder-files';
import { cachedHubFiles } from './hub/cached-hub-files';
import { hubSettings, type ResolveModelOptions } from './hub/settings';

/**
 * The files of a model by the one word that users give: a folder or a GGUF file that exists, else the id of a repository on the
 * Hugging Face hub (`datasets/organisation/name` for a data set), whose files are fetched into the shared cache as they are asked for. Throws `HubError`
 * `NOT_FOUND` for a path that leads nowhere, `INVALID_ARGUMENT` for what is neither.
 */
export async function resolveModel(pathOrHubId: string, options: ResolveModelOptions = {}): Promise<ModelFiles> {
  const kind = pathOrHubId === '' ? 'missing' : await pathKind(pathOrHubId);
  if (kind === 'file' && pathOrHubId.endsWith('.gguf')) return ggufFiles(await fileSource(pathOrHubId), options);
  if (kind !== 'missing' || looksLikePath(pathOrHubId)) return folderFiles(pathOrHubId, options);
  if (pathOrHubId === '') throw new HubError('INVALID_ARGUMENT', 'Give a folder or a hub id: the name is empty.');
  return cachedHubFiles(pathOrHubId, await hubSettings(options));
}

/** What nobody writes for a repository: `./x`, `../x`, `~/x`, `/x`, `C:\x`, `a/b/c`, `a/`. */
function looksLikePath(name: string): boolean {
  if (isDatasetId(name)) return false;
  return /^[.~/]|[\\:]|\/.*\/|\/$/.test(name);
}
