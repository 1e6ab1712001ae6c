/** Seeded random draws for made-up inputs; two runs of one seed make the same inputs. */
export class Draw {
  constructor(private state: number) {}

  /** An integer from 0 to `below` - 1 (mulberry32). */
  integer(below: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  }

  chance(oneIn: number): boolean {
    return this.integer(oneIn) === 0;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.integer(items.length)]!;
  }

  list<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: this.integer(most + 1) }, make);
  }

  /** A number that readers trip over: small, at a power of two, past 2 ** 53, negative, broken. */
  oddNumber(): number {
    return (
      this.pick([0, 1, 2, 3, 7, 64, 255, 256, 65535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32]) +
      this.pick([0, 0, 0, 1, -1, -5, 0.5, 2 ** 53, 2 ** 60, 1e300, NaN, Infinity])
    );
  }

  /** Any value that JSON can say, up to `depth` levels. */
  json(depth: number): unknown {
    const kind = this.integer(depth > 0 ? 8 : 5);
    if (kind === 0) return null;
    if (kind === 1) return this.chance(2);
    if (kind === 2) return this.oddNumber();
    if (kind <= 4) return this.text();
    if (kind === 5) return this.list(4, () => this.json(depth - 1));
    return Object.fromEntries(this.list(4, () => [this.text(), this.json(depth - 1)]));
  }

  text(): string {
    return this.pick([
      '',
      'a',
      'weight',
      '__proto__',
      'constructor',
      'é',
      '\u{1f600}',
      '\ud800',
      '..',
      '/',
      '\0',
      '1',
      'F32',
    ]);
  }
}

/** Damages bytes as transfers and attackers do: flips, cuts, inserts, repeats, numbers that are too large. */
export function damaged(draw: Draw, bytes: Uint8Array): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (let change = draw.integer(4); change > 0 && result.length > 0; change--) {
    const at = draw.integer(result.length);
    switch (draw.integer(6)) {
      case 0:
        result[at] = draw.integer(256);
        break;
      case 1:
        result[at]! ^= 1 << draw.integer(8);
        break;
      case 2:
        result = result.slice(0, at);
        break;
      case 3: {
        const piece = result.slice(at, at + draw.integer(16));
        result = Uint8Array.from([...result.subarray(0, at), ...piece, ...result.subarray(at)]);
        break;
      }
      case 4: {
        const width = draw.pick([2, 4, 8]);
        if (at + width > result.length) break;
        const value = draw.pick([0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 60n, 2n ** 64n - 1n]);
        for (let i = 0; i < width; i++) result[at + i] = Number((value >> BigInt(8 * i)) & 255n);
        break;
      }
      case 5:
        result.copyWithin(at, draw.integer(result.length));
    }
  }
  return result;
}

/** One reader under test. */
export interface FuzzTarget {
  readonly name: string;
  /** Makes an input, and gives what reads all of it. */
  readonly prepare: (draw: Draw) => () => unknown;
  /** Whether an error is the reader's own. */
  readonly isOwn: (error: unknown) => boolean;
}

/** What became of the inputs of one target. */
export interface FuzzCounts {
  inputs: number;
  read: number;
  refused: number;
  /** CPU time of the slowest input. */
  slowestMilliseconds: number;
}

export interface FuzzResult {
  readonly targets: Record<string, FuzzCounts>;
  /** Errors that are not the package's own, with what makes the input again; empty where all is well. */
  readonly foreign: { target: string; seed: number; error: string }[];
  /** Inputs that took more than a second of CPU time. */
  readonly slow: { target: string; seed: number; milliseconds: number }[];
}

/** Gives `count` inputs to the targets in turn, each from a seed of its own. */
export async function fuzz(
  targets: readonly FuzzTarget[],
  { count, seed, onProgress }: { count: number; seed: number; onProgress?: (done: number) => void },
): Promise<FuzzResult> {
  const result: FuzzResult = { targets: {}, foreign: [], slow: [] };
  for (const { name } of targets) result.targets[name] = { inputs: 0, read: 0, refused: 0, slowestMilliseconds: 0 };
  for (let i = 0; i < count; i++) {
    const target = targets[i % targets.length]!;
    const counts = result.targets[target.name]!;
    const own = Math.imul(seed + i, 0x9e3779b1);
    const run = target.prepare(new Draw(own));
    const start = process.cpuUsage();
    counts.inputs++;
    try {
      await run();
      counts.read++;
    } catch (error) {
      if (target.isOwn(error)) counts.refused++;
      else {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        result.foreign.push({ target: target.name, seed: own, error: text });
      }
    }
    const { user, system } = process.cpuUsage(start);
    const milliseconds = (user + system) / 1000;
    counts.slowestMilliseconds = Math.max(counts.slowestMilliseconds, milliseconds);
    if (milliseconds > 1000) result.slow.push({ target: target.name, seed: own, milliseconds });
    if (i % 10_000 === 9_999) onProgress?.(i + 1);
  }
  return result;
}
