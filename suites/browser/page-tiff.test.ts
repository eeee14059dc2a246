/** TIFF and EER files: their structure, picture and statistics on the page, and the refusal of a broken one. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { randomNumbers } from '../../packages/mrc/src/samples/test-phantom.ts';
import { eerImage, eerMetadata, greyImage, writeTiff } from '../../packages/mrc/src/tiff/test-tiff.ts';
import { publish } from '../contract/upload.ts';
import { PageUnderTest } from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

function makeMovie(): Buffer {
  const random = randomNumbers(4);
  const how = { width: 256, height: 200, isLzw: true, rowsPerStrip: 20 } as const;
  const isBright = (x: number, y: number) => Math.hypot(x - 128, y - 70) < 40;
  return Buffer.from(writeTiff([0, 1, 2].map(() => greyImage(how, (x, y) => 5 * random() + (isBright(x, y) ? 4 : 0)))));
}

function makeEer(): Buffer {
  const random = randomNumbers(5);
  const electrons = () => {
    const places = new Set<number>();
    while (places.size < 20_000) places.add(Math.floor(random() * 512 * 512));
    return [...places].map((place) => ({ x: place % 512, y: Math.floor(place / 512) }));
  };
  const metadata = eerMetadata({ commercialName: 'Falcon 4i', totalDose: '30.1', exposureTime: '3.5' });
  const frames = [0, 1, 2, 3, 4, 5].map((frame) =>
    eerImage({ width: 512, height: 512, compression: 65_001, tags: frame === 0 ? [metadata] : [] }, electrons()),
  );
  return Buffer.from(writeTiff(frames, { isBig: true }));
}

for (const [filename, make, kind, row] of [
  ['movie.tif', makeMovie, 'Montage', '256 × 200, 3 frames'],
  ['movie.eer', makeEer, 'Image', '512 × 512, 6 frames'],
] as const) {
  test(`${filename}: is shown with its structure, its picture and its statistics`, async () => {
    const owner = under.newOwner();
    const file = await publish(owner.call, make(), { filename });
    const page = await under.open(owner);
    await page.goto(`${under.server.url}/#files/${file.file_id}`);
    await page.getByRole('img', { name: new RegExp(`^${kind}.* of ${filename}`) }).waitFor();
    const table = page.getByRole('table', { name: 'Structure' });
    await table.getByRole('cell', { name: row, exact: true }).waitFor();
    await page.getByRole('table', { name: 'Statistics of the voxels' }).waitFor();
    await page.getByRole('img', { name: /^Histogram/ }).waitFor();
    await page.setViewportSize({ width: 360, height: 800 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
  });
}

test('a TIFF file that is cut off is refused before it is sent', async () => {
  const owner = under.newOwner();
  const page = await under.open(owner);
  const bytes = makeMovie();
  const buffer = bytes.subarray(0, bytes.length - 20);
  await page.setInputFiles('input[type=file]', [{ name: 'cut.tif', mimeType: 'image/tiff', buffer }]);
  await page
    .getByText(/A directory should be at byte [\d,]+, but the file has/)
    .first()
    .waitFor();
  assert.deepEqual((await owner.call('GET', '/uploads')).json<{ items: unknown[] }>().items, []);
});
