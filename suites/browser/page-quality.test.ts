/** Properties of the whole page: headers, size, accessibility, response to input. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeMrc } from '../contract/sample.ts';
import { openSample, publish } from '../contract/upload.ts';
import { callWith } from '../contract/wire.ts';
import { assertAccessible } from './accessible.ts';
import { drop, PageUnderTest, SLOW, throttle, uploadRow, waitForParts, writeLongMrc } from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());
const anybody = callWith(under.server, {});

/** The scripts and styles in the HTML of the page. */
async function assetsOf(): Promise<string[]> {
  const html = (await anybody('GET', '/')).body.toString();
  return [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path as string);
}

test('headers: only the page itself may run scripts in it, load into it, or frame it', async () => {
  const { headers, status } = await anybody('GET', '/');
  assert.equal(status, 200);
  const policy = headers['content-security-policy'] ?? '';
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cache-control'], 'no-cache');
});

test('caching: assets are immutable, and the page itself is revalidated', async () => {
  const assets = await assetsOf();
  assert.ok(assets.length >= 2, 'a script and a style');
  for (const path of assets) {
    const { headers, status } = await anybody('GET', path);
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.match(headers['content-type'] ?? '', /^(application\/javascript|text\/css);/);
  }
  assert.equal((await anybody('GET', '/assets/none.js')).json<{ code: string }>().code, 'not_found');
  assert.equal((await anybody('GET', '/..%2fpackage.json')).status, 404);
});

test('size: the first load has at most 150 kB of compressed scripts', async () => {
  let scriptBytes = 0;
  for (const path of await assetsOf()) {
    const { headers, body } = await anybody('GET', path, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(headers['content-encoding'], 'gzip');
    if (path.endsWith('.js')) scriptBytes += body.length;
  }
  assert.ok(scriptBytes > 10_000 && scriptBytes <= 150_000, `${scriptBytes} bytes`);
});

test('manifest: the page can be installed', async () => {
  const manifest = (await anybody('GET', '/manifest.webmanifest')).json<{ icons: { src: string; type: string }[] }>();
  for (const { src, type } of manifest.icons) {
    const icon = await anybody('GET', src);
    assert.equal(icon.status, 200);
    assert.equal(icon.headers['content-type'], type);
  }
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`accessibility: axe finds nothing serious in the ${colorScheme} theme`, async () => {
    const owner = under.newOwner();
    await publish(owner.call, makeMrc(70_000), { filename: 'a.mrc', metadata: { grid: '7' } });
    await openSample(owner.call, 3, { filename: 'b.mrc' });
    const options = { colorScheme, reducedMotion: 'reduce', viewport: { width: 360, height: 740 } } as const;
    const page = await under.openProfile({ options });
    await page.goto(under.server.url);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await assertAccessible(page, 'signing in');
    await page.goto(`${under.server.url}/#token=${owner.token}`);
    await page.getByText('Drop micrographs').waitFor();
    await assertAccessible(page, 'nothing uploaded yet');
    const broken = join(under.folder, 'broken.mrc');
    writeFileSync(broken, makeMrc(5_000).subarray(0, 4_000));
    // Slow enough that axe is done before the upload.
    await throttle(page, SLOW);
    await drop(page, [writeLongMrc(under.folder, 'c.mrc'), broken]);
    await waitForParts(uploadRow(page, 'c.mrc'), 1);
    await uploadRow(page, 'broken.mrc', 'refused').waitFor();
    await assertAccessible(page, 'uploading');
    await uploadRow(page, 'c.mrc').getByRole('button', { name: 'Cancel' }).click();
    await assertAccessible(page, 'a question');
    await page.getByRole('button', { name: 'Cancel the upload' }).click();
    await uploadRow(page, 'c.mrc').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.locator('li.activity').first().waitFor();
    await assertAccessible(page, 'activity');
    await page.getByRole('link', { name: 'Files' }).click();
    await page.getByRole('link', { name: /a\.mrc/ }).click();
    await page.getByRole('article').waitFor();
    await assertAccessible(page, 'a file');
  });
}

test('keyboard: skip to the content, choose a file, pause', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Choose files');
  // Slow enough for a busy machine.
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'keys.mrc')]);
  await uploadRow(page, 'keys.mrc', 'running').waitFor();
  for (let presses = 0; presses < 8; presses++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))) === 'Pause: keys.mrc') break;
  }
  await page.keyboard.press('Enter');
  await uploadRow(page, 'keys.mrc', 'paused').waitFor();
});

test('input: the page reacts while four parts are in flight', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  // A network slower than the disk, so that parts are in flight.
  await throttle(page, SLOW);
  await drop(page, [writeLongMrc(under.folder, 'busy.mrc')]);
  await uploadRow(page, 'busy.mrc')
    .getByRole('img', { name: /parts received, ([4-9]|[1-9]\d) in flight/ })
    .waitFor();
  await page.getByRole('link', { name: 'Activity' }).click();
  const field = page.getByRole('searchbox');
  await field.focus();
  // `npm run bench:page` measures how soon.
  await page.keyboard.type('a search for something');
  assert.equal(await field.inputValue(), 'a search for something');
  await page.getByRole('link', { name: /^Upload/ }).click();
  // The upload was running all the time.
  await uploadRow(page, 'busy.mrc', 'running').getByRole('button', { name: 'Pause' }).click();
  await uploadRow(page, 'busy.mrc', 'paused').waitFor();
});
