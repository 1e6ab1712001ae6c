import { type BrowserContext } from 'puppeteer-core';
import { type Check } from '../check';

/** What a part of the check works with. */
export interface Part {
  /** A visitor of their own. */
  readonly browser: BrowserContext;
  readonly check: Check;
  /** Where the built page is served. */
  readonly address: string;
  /** For files of the check. */
  readonly folder: string;
}
