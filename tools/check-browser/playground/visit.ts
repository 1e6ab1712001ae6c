import { type Browser, type Page } from 'puppeteer-core';

/** Everything that a page must not do unseen. */
export interface Visit {
  readonly page: Page;
  /** Addresses that the page and its workers asked for, Blobs of its own aside. */
  readonly requests: string[];
  /** Errors on the console, and those that nobody caught. */
  readonly errors: string[];
}

/** Patience with machines that compute beside this check. */
const PATIENCE = 300_000;

/** Opens the page and takes note of what it asks for. */
export async function visit(browser: Browser, address: string): Promise<Visit> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    if (!/^(?:blob|data):/.test(request.url())) requests.push(request.url());
  });
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  page.on('pageerror', (error) => void errors.push(String(error)));
  await page.goto(address);
  return { page, requests, errors };
}

/** Presses a button by what it is called. */
export async function press(page: Page, name: string): Promise<void> {
  await page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
}

/** Fills a field by its label. */
export async function fill(page: Page, label: string, value: string): Promise<void> {
  await page.locator(`::-p-aria(${label})`).fill(value);
  // Numbers are taken when the field is left.
  await page.keyboard.press('Tab');
}

/** The text of a place of the page, once it matches. */
export async function textOf(page: Page, place: string, matches: RegExp): Promise<string> {
  const handle = await page.waitForFunction(
    (selector, source) => {
      const text = document.querySelector(selector)?.textContent ?? '';
      return new RegExp(source).test(text) ? text : undefined;
    },
    { polling: 200 },
    `[data-testid="${place}"]`,
    matches.source,
  );
  return (await handle.jsonValue()) ?? '';
}
