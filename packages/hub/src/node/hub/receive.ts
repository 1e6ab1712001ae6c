import { contentRange } from '../../http/content-range';
import { HubError } from '../../error';
import { connectionError, statusError } from '../../http/status-error';
import { safeUrl } from '../../http/url';
import { type RemoteFile } from './remote-file';
import { sendHubRequest } from './request';
import { type HubSettings } from './settings';
import { stallGuard } from './stall-guard';

/** The body of a file's answer, piece by piece. */
export interface Received {
  /** Byte of the file at which it starts: what was asked for, or 0 where the server sends the whole. */
  start: number;
  /** Whether the server sent the range that was asked for, and not the whole. */
  partial: boolean;
  /** Undefined at its end. Throws `TransientError` where the connection breaks or stalls. */
  next(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** Asks for a file from byte `from` on, up to `to` where that is given, wherever the hub redirects to. */
export async function receive(
  settings: HubSettings,
  remote: RemoteFile,
  { from, to }: { from: number; to?: number },
): Promise<Received> {
  const { token, fetch } = settings;
  const { url } = remote;
  const stall = stallGuard(url, settings.stallMilliseconds);
  try {
    const headers: Record<string, string> =
      from > 0 || to !== undefined ? { Range: `bytes=${from}-${to === undefined ? '' : to - 1}` } : {};
    const request = { method: 'GET', url, headers, token, fetch, followElsewhere: true } as const;
    let { response } = await sendHubRequest({ ...request, signal: stall.signal });
    if (response.status === 416) {
      // What lies on disk is as long as the file or longer, and is not known to be right: the whole once more.
      await response.body?.cancel();
      ({ response } = await sendHubRequest({ ...request, headers: {}, signal: stall.signal }));
    }
    if (response.status !== 200 && response.status !== 206) throw statusError(response, url, Boolean(token));
    const range = response.status === 206 ? contentRange(response) : undefined;
    if (response.status === 206 && (range?.start !== from || (to !== undefined && range.end !== to - 1))) {
      throw new HubError('HTTP_STATUS', `${safeUrl(url)}: the server sent another range than the one asked for`, {
        place: safeUrl(url),
      });
    }
    const reader = response.body?.getReader();
    return {
      start: response.status === 206 ? from : 0,
      partial: response.status === 206,
      next: async () => {
        try {
          const piece = await reader?.read();
          stall.alive();
          return piece?.value;
        } catch (error) {
          throw connectionError(error, url);
        }
      },
      close: async () => {
        stall.stop();
        await reader?.cancel().catch(() => undefined);
      },
    };
  } catch (error) {
    stall.stop();
    throw error;
  }
}
