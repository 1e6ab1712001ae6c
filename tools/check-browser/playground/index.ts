// apps/playground end to end on wasm, as a visitor uses it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser } from 'puppeteer-core';
import { type Check } from '../check';
import { ownData } from './own-data';
import { looks } from './looks';
import { closedTab } from './closed-tab';
import { firstClick } from './first-click';
import { serveSite } from './site';

/** Builds the page and visits it. */
export async function checkPlayground(browser: Browser, check: Check): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'playground-'));
  const site = await serveSite(join(folder, 'site'));
  try {
    for (const part of [firstClick, ownData, closedTab, looks]) {
      // Each visitor has files and caches of their own.
      const context = await browser.createBrowserContext();
      try {
        await part({ browser: context, check, address: site.address, folder });
      } finally {
        await context.close();
      }
    }
  } finally {
    await site.close();
    await rm(folder, { recursive: true, force: true });
  }
}
