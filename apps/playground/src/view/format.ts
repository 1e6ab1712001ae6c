/** 0.4125 as "41.3 %". */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** Whole numbers with thin groups: 17,700,000. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Bytes in the largest unit that leaves a digit before the point. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

/** Seconds as people say them: "40 s", "2 min 5 s", "1 h 3 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const all = Math.round(seconds);
  if (all < 60) return `${all} s`;
  if (all < 3600) return `${Math.floor(all / 60)} min ${all % 60} s`;
  return `${Math.floor(all / 3600)} h ${Math.floor((all % 3600) / 60)} min`;
}

/** A figure with about three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(1);
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
