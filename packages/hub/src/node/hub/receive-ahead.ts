import { receive, type Received } from './receive';
import { type RemoteFile } from './remote-file';
import { type HubSettings } from './settings';

/**
 * Asks for a file from byte `from` on by several connections at once, a range each, and gives their pieces in the order
 * of the file: many servers give one connection only a part of what the line carries. What is written stays a beginning
 * of the file, so that a broken download goes on from it. A server that ignores ranges sends the whole by one connection.
 */
export async function receiveAhead(settings: HubSettings, remote: RemoteFile, from: number): Promise<Received> {
  const { size } = remote;
  const { connections, rangeBytes } = settings;
  if (size === undefined || connections < 2 || size - from <= rangeBytes) return receive(settings, remote, { from });
  const open = (start: number): Promise<Received> =>
    receive(settings, remote, { from: start, to: Math.min(start + rangeBytes, size) });
  // The first answer says whether the server knows ranges, before others are asked for.
  const first = await open(from);
  if (!first.partial) return first;
  const ranges = [new PendingRange(Promise.resolve(first))];
  let asked = from + rangeBytes;
  const askAhead = (): void => {
    for (; asked < size && ranges.length < connections; asked += rangeBytes) ranges.push(new PendingRange(open(asked)));
  };
  askAhead();
  return {
    start: from,
    partial: true,
    next: async () => {
      for (;;) {
        const head = ranges[0];
        if (head === undefined) return undefined;
        const piece = await head.next();
        if (piece !== undefined) return piece;
        await ranges.shift()!.close();
        askAhead();
      }
    },
    close: async () => {
      await Promise.all(ranges.map((range) => range.close()));
    },
  };
}

/** A range whose bytes are taken as they come, whether or not it is their turn. */
class PendingRange {
  private readonly pieces: Uint8Array[] = [];
  private ended = false;
  private failure: { error: unknown } | undefined;
  private wake: () => void = () => undefined;
  private closed = false;

  constructor(private readonly opening: Promise<Received>) {
    void this.take();
  }

  /** The next piece in the range's order; undefined at its end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.pieces.shift();
      if (piece !== undefined) return piece;
      if (this.failure !== undefined) throw this.failure.error;
      if (this.ended) return undefined;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    const received = await this.opening.catch(() => undefined);
    await received?.close();
  }

  private async take(): Promise<void> {
    try {
      const received = await this.opening;
      for (let piece = await received.next(); piece !== undefined && !this.closed; piece = await received.next()) {
        this.pieces.push(piece);
        this.wake();
      }
    } catch (error) {
      this.failure = { error };
    }
    this.ended = true;
    this.wake();
  }
}
