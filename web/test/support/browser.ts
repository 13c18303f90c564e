import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, inject, onTestFinished } from 'vitest';

let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

export const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1440, height: 900 } };

/**
 * The sizes and themes in which pages are viewed. Contrast depends on the theme and order on the size, so axe checks
 * each once.
 */
export const looks = [
  { size: 'desk', theme: 'light', isSearched: true },
  { size: 'phone', theme: 'light', isSearched: false },
  { size: 'phone', theme: 'dark', isSearched: true },
  { size: 'desk', theme: 'dark', isSearched: false },
] as const;

/** A fresh browser, without cookies or stored data; on a desktop, in the light theme. */
export async function openVisit(): Promise<{ context: BrowserContext; page: Page }> {
  browser ??= chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
  const context = await (await browser).newContext({
    baseURL: inject('shopUrl'),
    colorScheme: 'light',
    viewport: sizes.desk,
  });
  onTestFinished(() => context.close());
  // A test that waits longer than this, even on a busy machine, has found a defect.
  context.setDefaultTimeout(20_000);
  return { context, page: await context.newPage() };
}

/** @throws with the command that says how to install it. */
function findChromium(): string {
  const path = [
    process.env.CHROMIUM_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].find(candidate => candidate !== undefined && existsSync(candidate));
  if (path !== undefined) return path;
  throw new Error('Chromium is not installed: "node scripts/programs.mjs" says how to install it');
}
