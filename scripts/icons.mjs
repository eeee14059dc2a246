/** Draws packages/web/public/icon-*.png from icon.svg, in the browser of the tests. Run it when the drawing has changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startChromium } from '../suites/browser/chromium.ts';

const FOLDER = fileURLToPath(new URL('../packages/web/public', import.meta.url));
const SIZES = [192, 512];

const svg = readFileSync(`${FOLDER}/icon.svg`, 'utf8');
const browser = await startChromium();
for (const size of SIZES) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  // Systems cut these to shapes of their own, so that the ground goes up to the edge.
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw}</style>${svg.replace('rx="14"', '')}`);
  writeFileSync(`${FOLDER}/icon-${size}.png`, await page.screenshot());
  await page.close();
}
await browser.close();
