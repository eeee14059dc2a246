/** A picture of a file: zoom and movement, scale bar, sections, slabs, low-passes and contrast. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import type { Page } from 'playwright-core';
import { publish } from '../../contract/upload.ts';
import { assertAccessible } from '../accessible.ts';
import { type Owner, PageUnderTest } from '../page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

const MICROGRAPH = { nx: 2400, ny: 1800, nz: 1, mode: 0, m: [2400, 1800, 1], cella: [2880, 2160, 1] } as const;
const VOLUME = { nx: 128, ny: 96, nz: 48, mode: 2, ispg: 1, m: [128, 96, 48], cella: [512, 384, 192] } as const;

/** Particles on noise, of bytes. */
function makeMicrograph(): Buffer {
  const { nx, ny } = MICROGRAPH;
  const voxels = new Uint8Array(nx * ny);
  let seed = 1;
  for (let at = 0; at < voxels.length; at++) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const [x, y] = [(at % nx) % 150, Math.floor(at / nx) % 150];
    const isParticle = (x - 75) ** 2 + (y - 75) ** 2 < 50 ** 2;
    voxels[at] = 40 + ((seed >> 16) % 60) + (isParticle ? 0 : 20);
  }
  return Buffer.concat([buildHeader(MICROGRAPH), voxels]);
}

function makeVolume(fields: object = {}): Buffer {
  const { nx, ny, nz } = VOLUME;
  const voxels = new Float32Array(nx * ny * nz).map((_, at) => {
    const [x, y, z] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / nx / ny)];
    return Math.hypot(x - 64, y - 48, z - 24) < 20 ? 50 + (at % 13) : at % 7;
  });
  return Buffer.concat([buildHeader({ ...VOLUME, ...fields }), new Uint8Array(voxels.buffer)]);
}

interface Opened {
  readonly page: Page;
  readonly owner: Owner;
  /** The queries of the pictures that were asked for. */
  readonly asked: URLSearchParams[];
}

async function openFile(bytes: Buffer, filename: string, more = '', options = {}): Promise<Opened> {
  const owner = under.newOwner();
  const file = await publish(owner.call, bytes, { filename });
  const page = await under.open(owner, { options });
  const asked: URLSearchParams[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/preview?')) asked.push(new URL(request.url()).searchParams);
  });
  await page.goto(`${under.server.url}/#files/${file.file_id}${more}`);
  return { page, owner, asked };
}

const frameOf = (page: Page) => page.getByRole('application', { name: /^Picture/ });
const zoomOf = async (page: Page) => Number.parseFloat(await page.locator('.viewer-zoom').innerText());

async function shows(page: Page, section: string, filename: string, place: string): Promise<void> {
  await page.getByRole('img', { name: `${section} of ${filename}, ${place}`, exact: true }).waitFor();
}

test('viewer: zooms to 1:1 with the keys, asks for that part only, and says how large it is', async () => {
  const { page, asked } = await openFile(makeMicrograph(), 'grid1.mrc');
  await page.getByText('A micrograph, or a frame of a movie, of 2,400 × 1,800 pixels').waitFor();
  await shows(page, 'Micrograph', 'grid1.mrc', 'z 0');
  const frame = frameOf(page);
  await page.waitForFunction(() => document.querySelector('.viewer-zoom') !== null);
  const fit = await zoomOf(page);
  assert.ok(fit > 5 && fit < 60, `${fit} %`);
  const bar = page.getByRole('img', { name: /^Scale bar: / });
  const whole = await bar.getAttribute('aria-label');
  assert.ok(asked.every((query) => !query.has('region')));

  await frame.focus();
  await page.keyboard.press('1');
  await page.getByText('100 % (1:1)').waitFor();
  await page.locator('.viewer-detail').waitFor();
  const region =
    asked
      .findLast((query) => query.has('region'))
      ?.get('region')
      ?.split(',')
      .map(Number) ?? [];
  const box = await frame.boundingBox();
  assert.ok(box && region.length === 4);
  const [x = 0, y = 0, width = 0, height = 0] = region;
  assert.ok(x <= 1200 - box.width / 2 && x + width >= 1200 + box.width / 2, `${region} does not cover ${box.width} px`);
  assert.ok(y <= 900 - box.height / 2 && y + height >= 900 + box.height / 2);
  assert.ok(width < box.width + 70, 'not more than is shown');
  const detail = await page.locator('.viewer-detail').evaluate((image) => {
    const { naturalWidth, naturalHeight, width, height } = image as unknown as Record<string, number>;
    return [naturalWidth, naturalHeight, width, height];
  });
  assert.deepEqual(detail, [width, height, width, height], 'a voxel is a pixel');

  // 1.2 Å for a pixel: 160 px are 192 Å, so the bar has 100 Å.
  assert.equal(await bar.getAttribute('aria-label'), 'Scale bar: 10 nm');
  assert.notEqual(whole, 'Scale bar: 10 nm');
  const length = await page.locator('.viewer-bar-line').evaluate((line) => line.getBoundingClientRect().width);
  assert.ok(Math.abs(length - 100 / 1.2) < 0.1, `${length} px`);

  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await page.getByText('200 %').waitFor();
  await page.keyboard.press('0');
  await page.waitForFunction(() => !document.querySelector('.viewer-detail'));
  assert.equal(await zoomOf(page), fit);
});

test('viewer: is moved by drag and arrow keys, and zoomed by wheel and double click where the pointer is', async () => {
  const { page, asked } = await openFile(makeMicrograph(), 'grid2.mrc');
  await shows(page, 'Micrograph', 'grid2.mrc', 'z 0');
  const frame = frameOf(page);
  const box = await frame.boundingBox();
  assert.ok(box);
  const regionOf = (query: URLSearchParams | undefined) => (query?.get('region') ?? '').split(',').map(Number);
  const nextRegion = async (act: () => Promise<void>) => {
    const before = asked.length;
    await act();
    while (!asked.slice(before).some((query) => query.has('region'))) await page.waitForTimeout(20);
    return regionOf(asked.findLast((query) => query.has('region')));
  };
  await page.waitForFunction(() => document.querySelector('.viewer-zoom') !== null);
  await page.mouse.move(box.x + 5, box.y + 5);
  const corner = await nextRegion(async () => {
    await page.keyboard.down('Control');
    for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -120);
    await page.keyboard.up('Control');
  });
  assert.deepEqual(corner.slice(0, 2), [0, 0], 'the upper left corner stays under the pointer');
  assert.equal(await page.evaluate(() => scrollY), 0);
  const moved = await nextRegion(async () => {
    await page.mouse.move(box.x + 200, box.y + 150);
    await page.mouse.down();
    await page.mouse.move(box.x + 60, box.y + 60, { steps: 5 });
    await page.mouse.up();
  });
  assert.ok((moved[0] as number) > 0 && (moved[1] as number) > 0, String(moved));
  await frame.focus();
  const right = await nextRegion(() => page.keyboard.press('ArrowRight'));
  assert.ok((right[0] as number) > (moved[0] as number), `${right} is right of ${moved}`);
  const zoom = await zoomOf(page);
  await page.mouse.dblclick(box.x + 100, box.y + 100);
  await page.waitForFunction(
    (least) => Number.parseFloat(document.querySelector('.viewer-zoom')?.textContent ?? '') > least,
    1.9 * zoom,
  );
  await page.getByRole('button', { name: 'Whole picture' }).click();
  await page.waitForFunction(() => !document.querySelector('.viewer-zoomed'));
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await page.waitForFunction(() => document.querySelector('.viewer-zoomed'));
});

test('viewer: two fingers zoom, and one moves what is zoomed', async () => {
  const options = { hasTouch: true, viewport: { width: 360, height: 800 } };
  const { page } = await openFile(makeMicrograph(), 'touched.mrc', '', options);
  await shows(page, 'Micrograph', 'touched.mrc', 'z 0');
  await page.locator('.viewer-zoom').waitFor();
  const fit = await zoomOf(page);
  await frameOf(page).scrollIntoViewIfNeeded();
  const box = await frameOf(page).boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const touch = await page.context().newCDPSession(page);
  const send = async (
    type: 'touchStart' | 'touchMove' | 'touchEnd',
    points: readonly (readonly [number, number])[],
  ) => {
    const touchPoints = points.map(([right, down], id) => ({ x: x + right, y: y + down, id }));
    await touch.send('Input.dispatchTouchEvent', { type, touchPoints });
  };
  await send('touchStart', [[-20, 0]]);
  await send('touchStart', [
    [-20, 0],
    [20, 0],
  ]);
  for (const apart of [30, 40, 60, 80])
    await send('touchMove', [
      [-apart, 0],
      [apart, 0],
    ]);
  await send('touchEnd', []);
  await page.waitForFunction(
    (least) => Number.parseFloat(document.querySelector('.viewer-zoom')?.textContent ?? '') > least,
    3.5 * fit,
  );
  const left = () =>
    page
      .locator('.viewer-frame img')
      .first()
      .evaluate((image) => image.getBoundingClientRect().left);
  const before = await left();
  await send('touchStart', [[0, 0]]);
  for (const right of [10, 20, 30]) await send('touchMove', [[right, 0]]);
  await send('touchEnd', []);
  await page.waitForFunction(
    (least) => (document.querySelector('.viewer-frame img')?.getBoundingClientRect().left ?? 0) > least,
    before + 20,
  );
});

test('viewer: sections by keys and wheel, slabs, low-passes and contrast, all kept in the address', async () => {
  const { page, asked } = await openFile(makeVolume(), 'tomo.rec');
  await page.getByText('A tomogram, by its name: a volume of 128 × 96 × 48 voxels, 4 Å each.').waitFor();
  await shows(page, 'Section', 'tomo.rec', 'z 24');
  const frame = frameOf(page);
  await frame.focus();
  await page.keyboard.press('PageUp');
  await shows(page, 'Section', 'tomo.rec', 'z 25');
  await page.keyboard.press(',');
  await page.keyboard.press(',');
  await shows(page, 'Section', 'tomo.rec', 'z 23');
  const box = await frame.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, 120);
  await shows(page, 'Section', 'tomo.rec', 'z 21');
  await page.getByLabel('Mean of').selectOption('10');
  await page.getByLabel('Low-pass').selectOption('20');
  const black = page.getByRole('slider', { name: 'Black' });
  await black.focus();
  for (let i = 0; i < 9; i++) await page.keyboard.press('ArrowRight');
  await page.getByText('1.0 %').waitFor();
  await page.waitForFunction(() => location.hash.includes('low=1&'));
  const last = async () => {
    for (;;) {
      const query = Object.fromEntries(asked.at(-1) ?? []);
      if (query.low === '1') return query;
      await page.waitForTimeout(20);
    }
  };
  const { size: _, ...query } = await last();
  assert.deepEqual(query, {
    kind: 'section',
    axis: 'z',
    slice: '21',
    slab: '10',
    lowpass: '20',
    low: '1',
    high: '99.9',
  });
  await page.reload();
  await shows(page, 'Section', 'tomo.rec', 'z 21');
  assert.equal(await page.getByLabel('Mean of').inputValue(), '10');
  assert.equal(await page.getByLabel('Contrast').inputValue(), 'own');
  await page.getByLabel('Contrast').selectOption('sigma');
  await page.waitForFunction(() => !location.hash.includes('low='));
});

test('viewer: no scale bar without a pixel size; a movie has its average and its frames', async () => {
  const { page } = await openFile(makeVolume({ cella: [0, 0, 0] }), 'unknown.mrc');
  await shows(page, 'Section', 'unknown.mrc', 'z 24');
  await page.waitForFunction(() => document.querySelector('.viewer-zoom') !== null);
  assert.equal(await page.getByRole('img', { name: /^Scale bar/ }).count(), 0);
  assert.equal(await page.getByLabel('Low-pass').count(), 0);

  const fields = { nx: 1200, ny: 1100, nz: 6, mode: 0, m: [1200, 1100, 1], cella: [1200, 1100, 1] } as const;
  const frames = new Uint8Array(1200 * 1100 * 6).map((_, at) => (at * 7) % 23);
  const movie = await openFile(Buffer.concat([buildHeader(fields), frames]), 'movie.mrc');
  await movie.page.getByRole('img', { name: 'Average of movie.mrc' }).waitFor();
  await movie.page.getByText('A movie, or images taken one after the other: 6').waitFor();
  await movie.page.getByLabel(/^Show/).selectOption('Frame');
  await shows(movie.page, 'Frame', 'movie.mrc', 'z 3');
  const slider = movie.page.getByRole('slider', { name: 'Frame' });
  await slider.focus();
  await movie.page.keyboard.press('ArrowRight');
  await shows(movie.page, 'Frame', 'movie.mrc', 'z 4');
});

test('viewer: accessible in both themes and on a narrow screen; the histogram has axes', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of [
      { width: 1280, height: 900 },
      { width: 360, height: 800 },
    ]) {
      const bytes = viewport.width === 360 ? makeVolume() : makeMicrograph();
      const { page } = await openFile(bytes, 'shown.mrc', '', { colorScheme, viewport });
      await page.locator('.viewer-zoom').waitFor();
      await page.getByRole('img', { name: /^Histogram from / }).waitFor();
      await page.getByText('Value of a voxel').waitFor();
      await assertAccessible(page, `${colorScheme} ${viewport.width}`);
      await frameOf(page).focus();
      await page.keyboard.press('1');
      await page.locator('.viewer-zoom').waitFor();
      const shots = process.env.CRYOLIFT_TEST_SHOTS;
      if (shots) {
        await page.waitForTimeout(1500);
        await page.screenshot({ path: `${shots}/viewer-${colorScheme}-${viewport.width}.png`, fullPage: true });
      }
      await page.close();
    }
  }
});
