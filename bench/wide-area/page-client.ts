/**
 * Uploads one file with the page in Chromium, which opens six connections to an origin; prints how it went.
 * `CRYOLIFT_TOKEN=… node page-client.ts FILE URL ADDRESS`: every other name leads to ADDRESS.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { startChromium } from '../../suites/browser/chromium.ts';
import { uploadRow } from '../../suites/browser/page-under-test.ts';

const [path = '', url = '', address = ''] = process.argv.slice(2);
const { size } = statSync(path);

const browser = await startChromium([`--host-resolver-rules=MAP * ${address}`]);
const page = await browser.newPage();
await page.goto(`${url}/#token=${process.env.CRYOLIFT_TOKEN}`);
await page.getByRole('navigation').waitFor();
const begin = performance.now();
await page.setInputFiles('input[data-input=files]', path);
await uploadRow(page, basename(path), 'done').waitFor({ timeout: 0 });
const seconds = (performance.now() - begin) / 1000;
console.log(JSON.stringify({ bytes: size, seconds }));
await browser.close();
