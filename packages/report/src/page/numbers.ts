import { type Figure } from '../figures/report-figures';
import { type Described } from '../input';

/** What stands where a figure is missing. */
export const MISSING = 'not available';

/** A number for people: four significant digits at least, whole numbers with separators, small ones by powers of ten. */
export function shownNumber(value: Figure | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 1e15 ? value.toLocaleString('en') : value.toExponential(3);
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential(2);
  if (size < 10) return value.toFixed(4);
  return size < 1000 ? value.toFixed(2) : Math.round(value).toLocaleString('en');
}

/** A share as percent. */
export function shownPercent(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? MISSING : `${(100 * value).toFixed(2)} %`;
}

/** With its sign, so that more and less are told apart without colour. */
export function signed(value: number | null, digits?: number): string {
  if (value === null) return MISSING;
  const text = digits === undefined ? shownNumber(value) : value.toFixed(digits);
  return value > 0 ? `+${text}` : text.replace('-', '−');
}

/** A value of a description. */
export function shownValue(value: Described): string {
  if (value === null) return MISSING;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? shownNumber(value) : value;
}

/** Bytes in the unit that fits. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds as hours, minutes and seconds. */
export function shownSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return h > 0 ? `${h} h ${m} min` : `${m} min ${s} s`;
}
