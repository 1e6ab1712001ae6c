import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Page } from 'puppeteer-core';
import { axeFindings } from '../accessibility';
import { type Check } from '../check';

const WIDTHS = [390, 820, 1280];
const THEMES = ['light', 'dark'] as const;

/** The page as it stands, in three widths and both themes; PLAYGROUND_SCREENSHOTS names a folder for pictures of it. */
export async function checkAppearance(page: Page, check: Check, state: string): Promise<void> {
  const folder = process.env['PLAYGROUND_SCREENSHOTS'];
  // What lies behind a click is looked at too.
  await page.$$eval('details', (all) => all.forEach((details) => (details.open = true)));
  for (const width of WIDTHS) {
    for (const theme of THEMES) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
      const place = `playground: ${state}, ${width} pixels, ${theme}`;
      check(`${place}: axe`, await axeFindings(page), []);
      const overhang = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(`${place}: fits`, overhang, 0);
      if (folder === undefined) continue;
      await mkdir(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `${state}-${width}-${theme}.png`), fullPage: true });
    }
  }
}
