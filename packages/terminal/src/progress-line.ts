/** What progress is counted in. */
export type ProgressUnit = 'steps' | 'bytes';

/** How far something has come. */
export interface Progress {
  /** What it is: `train`, `download`, `trial 3`. */
  readonly label: string;
  readonly done: number;
  /** 0 where it is not known. */
  readonly total: number;
  /** What is counted; bytes are shown as MiB. Default steps. */
  readonly unit?: ProgressUnit;
  /** Units a second; undefined where nothing can be said yet. */
  readonly rate?: number;
  /** Further words, the most important first: what does not fit is left out from the end. */
  readonly notes?: readonly string[];
}

/** Narrower bars say nothing. */
const SHORTEST_BAR = 8;
const LONGEST_BAR = 40;

/** A line of a width: label, bar, numbers, time left, then as many notes as fit; the bar takes what room there is. */
export function progressLine(
  { label, done, total, unit = 'steps', rate, notes = [] }: Progress,
  width: number,
): string {
  const size = (value: number): string => (unit === 'bytes' ? mebibytes(value) : `${value}`);
  const count = `${size(done)}${total > 0 ? `/${size(total)}` : ''}${unit === 'bytes' ? ' MiB' : ''}`;
  const left = total > done && rate !== undefined && rate > 0 ? `${clock((total - done) / rate)} left` : '';
  const speed =
    rate === undefined ? '' : unit === 'bytes' ? `${mebibytes(rate)} MiB/s` : `${rate.toFixed(rate >= 10 ? 0 : 1)}/s`;
  const parts = [count, left, speed].filter((part) => part !== '');
  const fixed = label.length + parts.reduce((sum, part) => sum + part.length + 2, 0);
  let room = width - fixed;
  const shown: string[] = [];
  for (const note of notes) {
    if (room - note.length - 2 < (total > 0 ? SHORTEST_BAR + 2 : 0)) break;
    shown.push(note);
    room -= note.length + 2;
  }
  const length = Math.min(LONGEST_BAR, room - 2);
  const drawn = total > 0 && length >= SHORTEST_BAR ? [bar(done / total, length)] : [];
  return [label, ...drawn, ...parts, ...shown].join('  ');
}

function bar(share: number, size: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * size);
  return `${'█'.repeat(filled)}${'░'.repeat(size - filled)}`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** Seconds as `12s`, `3m05s`, `2h07m`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
}
