import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HubError } from '../../error';
import { retrying, TransientError } from '../../http/retry';
import { safeUrl } from '../../http/url';
import { systemCode, systemError } from '../system-error';
import { writeFully } from '../write-file-atomic';
import { digestStart, etagDigest } from './digest';
import { receiveAhead } from './receive-ahead';
import { type RemoteFile } from './remote-file';
import { type HubSettings } from './settings';

/**
 * Downloads a file to `target` by way of `target.incomplete`, which a broken download leaves for the next one to go on
 * from (huggingface_hub has the same name for it). Size and, where the ETag is one, digest are checked before the file
 * gets its name. `onBytes` is told the length of the partial file as it grows.
 */
export async function download(
  settings: HubSettings,
  remote: RemoteFile,
  target: string,
  onBytes: (received: number) => void,
): Promise<void> {
  const partial = `${target}.incomplete`;
  try {
    for (let fresh = false; ; fresh = true) {
      let furthest = 0;
      const { from, matches } = await retrying(async (progressed) => {
        return attempt(settings, remote, partial, (received) => {
          // A server that starts over each time makes no progress by sending the same bytes again.
          if (received > furthest) progressed();
          furthest = Math.max(furthest, received);
          onBytes(received);
        });
      }, settings.retry);
      if (matches) break;
      await rm(partial, { force: true });
      // What lay there before may have been of another download, so there is one more chance from the start.
      if (fresh || from === 0) throw checksumError(remote);
    }
    await rename(partial, target);
  } catch (error) {
    throw systemCode(error) === undefined ? error : systemError(error, 'NOT_WRITABLE', "Can't write", target);
  }
}

/** One connection, going on from where the partial file ends: where that was, and whether size and digest are right. */
async function attempt(
  settings: HubSettings,
  remote: RemoteFile,
  partial: string,
  onBytes: (received: number) => void,
): Promise<{ from: number; matches: boolean }> {
  const file = await open(partial, 'a+');
  try {
    const from = await usableLength(file, remote);
    await checkSpace(remote, from, partial);
    const digest = etagDigest(remote.etag, remote.size);
    let received = from;
    onBytes(received);
    if (received === remote.size) await digestStart(digest, file, received);
    else {
      const answer = await receiveAhead(settings, remote, from);
      try {
        received = answer.start;
        if (received === 0) await file.truncate(0);
        await digestStart(digest, file, received);
        for (let piece = await answer.next(); piece !== undefined; piece = await answer.next()) {
          received += piece.byteLength;
          // More than the hub said can't become right by going on.
          if (received > (remote.size ?? Infinity)) break;
          await writeFully(file, piece);
          digest?.update(piece);
          onBytes(received);
        }
      } finally {
        await answer.close();
      }
    }
    if (received < (remote.size ?? 0)) throw brokenOff(remote, received);
    await file.sync();
    return { from, matches: received === (remote.size ?? received) && (digest?.matches() ?? true) };
  } finally {
    await file.close();
  }
}

/** Length of the partial file; one that is longer than the file it should become is emptied. */
async function usableLength(file: FileHandle, remote: RemoteFile): Promise<number> {
  const { size } = await file.stat();
  if (size <= (remote.size ?? Infinity)) return size;
  await file.truncate(0);
  return 0;
}

/** A full disk is better known before 800 MB than after. */
async function checkSpace(remote: RemoteFile, from: number, partial: string): Promise<void> {
  if (remote.size === undefined) return;
  const { bavail, bsize, blocks } = await statfs(dirname(partial));
  const needed = remote.size - from;
  // Some network file systems report nothing at all.
  if (blocks === 0 || bavail * bsize >= needed) return;
  throw new HubError(
    'NOT_WRITABLE',
    `${remote.path} needs ${needed} more bytes in ${dirname(partial)}, but ${bavail * bsize} are free. ` +
      'Make room, or give another cacheDir (HF_HUB_CACHE).',
    { place: dirname(partial), value: needed },
  );
}

function brokenOff(remote: RemoteFile, received: number): HubError {
  const place = safeUrl(remote.url);
  const message =
    `${place}: the connection ended after ${received} of ${remote.size} bytes. ` +
    'They are kept: try again to go on from there.';
  return new TransientError('NETWORK', message, { place });
}

function checksumError(remote: RemoteFile): HubError {
  const place = safeUrl(remote.url);
  return new HubError(
    'CHECKSUM',
    `${place}: what came is not the file that the hub describes (size or checksum). It was deleted; try again.`,
    { place, value: remote.etag },
  );
}
