import { HubError } from '../error';
import { type ByteSource } from '../files/byte-source';
import { type FilesOptions, missingFile, type ModelFiles, modelFiles } from '../files/model-files';
import { checkRelativePath } from '../files/path';
import { httpSource, type HttpSourceOptions } from './http-source';
import { checkRepoId, checkRevision, resolveUrl } from './url';

/** Which repository, and how it is read. */
export interface HubFilesOptions extends HttpSourceOptions, FilesOptions {
  /** `organisation/name`. */
  repo: string;
  /** Branch, tag or commit; `main` by default. */
  revision?: string;
  /** `https://huggingface.co` by default. */
  endpoint?: string;
}

/**
 * A model on the Hugging Face hub, read over HTTP without a cache of its own: tensors come by Range requests. For
 * browsers, whose HTTP cache may keep them; in Node, `resolveModel` of `@qlora-js/hub/node` keeps files on disk.
 */
export function hubFiles(options: HubFilesOptions): ModelFiles {
  const { repo, revision = 'main', endpoint = 'https://huggingface.co', limits, ...http } = options;
  checkRepoId(repo);
  checkRevision(revision);
  const opened = new Map<string, Promise<ByteSource | undefined>>();
  const source = (path: string): Promise<ByteSource | undefined> => {
    checkRelativePath(path, repo);
    const known = opened.get(path) ?? openOrMissing(resolveUrl({ endpoint, repo, revision, path }).href, http);
    opened.set(path, known);
    known.catch(() => opened.delete(path));
    return known;
  };
  return modelFiles(
    repo,
    {
      has: async (path) => (await source(path)) !== undefined,
      open: async (path) => {
        const found = await source(path);
        if (found === undefined) throw missingFile(repo, path);
        return found;
      },
    },
    { limits },
  );
}

/** Undefined where the repository is there and the file is not. */
async function openOrMissing(url: string, options: HttpSourceOptions): Promise<ByteSource | undefined> {
  let missing = false;
  const fetch = options.fetch ?? globalThis.fetch;
  try {
    return await httpSource(url, {
      ...options,
      fetch: async (...request) => {
        const response = await fetch(...request);
        const kind = response.headers.get('x-error-code');
        missing = response.status === 404 && (kind === null || kind === 'EntryNotFound');
        return response;
      },
    });
  } catch (error) {
    if (missing && HubError.isInstance(error) && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}
