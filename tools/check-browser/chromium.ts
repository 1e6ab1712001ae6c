import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';

/** Where distributions put it; CHROMIUM names another one. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Runs something with a headless Chromium: the machine's own, else the one that a development dependency carries. */
export async function withChromium<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), 'check-browser-'));
  try {
    const browser = await puppeteer.launch({
      executablePath: await chromium(),
      headless: true,
      userDataDir: profile,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    try {
      return await use(browser);
    } finally {
      await browser.close();
    }
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
}

async function chromium(): Promise<string> {
  const given = process.env['CHROMIUM'] ?? PLACES.find((path) => existsSync(path));
  if (given !== undefined) return given;
  const { default: carried } = await import('@sparticuz/chromium');
  return carried.executablePath();
}
