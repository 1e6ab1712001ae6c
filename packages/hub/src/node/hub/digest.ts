import { createHash } from 'node:crypto';
import { type FileHandle } from 'node:fs/promises';

/**
 * The digest that a blob's ETag is, computed as its bytes come: the SHA-256 of an LFS file, git's SHA-1 of
 * `blob SIZE\0` and the content of any other. Undefined where the ETag has another form and proves nothing.
 */
export function etagDigest(
  etag: string,
  size: number | undefined,
): { update(bytes: Uint8Array): void; matches(): boolean } | undefined {
  const sha256 = /^[0-9a-f]{64}$/.test(etag);
  const git = /^[0-9a-f]{40}$/.test(etag) && size !== undefined;
  if (!sha256 && !git) return undefined;
  const hash = createHash(sha256 ? 'sha256' : 'sha1');
  if (!sha256) hash.update(`blob ${size}\0`);
  return {
    update: (bytes) => void hash.update(bytes),
    matches: () => hash.digest('hex') === etag,
  };
}

/** Feeds a digest with the first `length` bytes of a file. */
export async function digestStart(
  digest: { update(bytes: Uint8Array): void } | undefined,
  file: FileHandle,
  length: number,
): Promise<void> {
  if (digest === undefined) return;
  const buffer = new Uint8Array(2 ** 20);
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - at), at);
    if (bytesRead === 0) return;
    digest.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}
