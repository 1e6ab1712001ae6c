import { type Browser, type BrowserContext, type ElementHandle, type Page } from 'puppeteer-core';

/** A page that is looked at, and everything that it must not do unseen. */
export interface Visit {
  readonly page: Page;
  /** Addresses that the page and its workers asked for, Blobs of its own aside, with what is no plain question marked. */
  readonly requests: string[];
  /** Errors on the console, and those that nobody caught. */
  readonly errors: string[];
}

/** Patience with machines that compute beside this check. */
const PATIENCE = 300_000;

/** Opens the page and takes note of what it asks for. */
export async function visit(browser: Browser | BrowserContext, address: string): Promise<Visit> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => {
    if (/^(?:blob|data):/.test(request.url())) return;
    requests.push(request.method() === 'GET' ? request.url() : `${request.method()} ${request.url()}`);
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

/** Types over what a field has, by its label, and leaves it. */
export async function fill(page: Page, label: string, value: string): Promise<void> {
  await typeOver(page, label, value);
  // Numbers are taken when the field is left.
  await page.keyboard.press('Tab');
}

/**
 * Types over what a field has, as a visitor does. `Locator.fill` would empty it by script first, and where the page draws itself
 * anew in between, the old number is back and the new one is typed behind it.
 */
export async function typeOver(page: Page, label: string, value: string): Promise<void> {
  await page.locator(`::-p-aria(${label})`).click({ count: 3 });
  await page.keyboard.type(value);
}

/** Gives files to a field by its label, as dropping them does. */
export async function give(page: Page, label: string, ...paths: readonly string[]): Promise<void> {
  // By its label: browsers name a field for files by what is chosen as well.
  const id = await page.$$eval(
    'label',
    (labels, text) => labels.find(({ textContent }) => textContent?.trim() === text)?.htmlFor,
    label,
  );
  const field = await page.waitForSelector(`[id="${id}"]`);
  await (field as ElementHandle<HTMLInputElement>).uploadFile(...paths);
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

/** Labels of the tried text as they are shown, with their probabilities: the names, most probable first. */
export async function shownLabels(page: Page): Promise<string[]> {
  return page.$$eval('[data-testid="labels"] li', (rows) => rows.map((row) => row.textContent ?? ''));
}

/** Presses a button that downloads, and gives the file's bytes: Chromium's download itself would outlive the page. */
export async function downloaded(page: Page, button: string): Promise<Uint8Array> {
  // The Blob is caught where the page makes its address.
  await page.evaluate(() => {
    const caught = globalThis as unknown as { caught?: Promise<ArrayBuffer> };
    const make = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (made: Blob) => {
      caught.caught = made.arrayBuffer();
      return make(made);
    };
  });
  await press(page, button);
  const handle = await page.waitForFunction(async () => {
    const { caught } = globalThis as unknown as { caught?: Promise<ArrayBuffer> };
    if (caught === undefined) return undefined;
    const bytes = new Uint8Array(await caught);
    let text = '';
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
  });
  return Buffer.from((await handle.jsonValue()) ?? '', 'base64');
}
