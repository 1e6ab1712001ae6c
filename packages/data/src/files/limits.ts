import { DataError } from '../errors';

/** How much a data file may ask for; what goes beyond is an error before it is read or unpacked. */
export interface DataLimits {
  /** Bytes of a file, unpacked. Default 500,000,000, which is near the longest text a JavaScript engine holds. */
  readonly maxBytes: number;
  /** Values in a table: rows times columns, or values of JSON. Default 100,000,000. */
  readonly maxValues: number;
}

/** The limits where a caller sets none. */
export const DEFAULT_LIMITS: DataLimits = { maxBytes: 500_000_000, maxValues: 100_000_000 };

/** Columns a table may have: no text data set comes near, and a header of commas alone does. */
export const MAX_COLUMNS = 10_000;

/** @throws DataError `TOO_LARGE` */
export function tooLarge(place: string, fault: string): DataError {
  return new DataError('TOO_LARGE', `${place}: ${fault}; raise the limit if the file is meant to be that large`);
}
