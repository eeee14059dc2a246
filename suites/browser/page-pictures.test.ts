/** Previews, statistics and headers of files, and links to them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { buildHeader } from '@cryolift/mrc';
import { sha256Hex } from '../contract/sample.ts';
import { publish } from '../contract/upload.ts';
import { PageUnderTest } from './page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

const [NX, NY, NZ] = [96, 64, 20];

/** A volume in which each section has a bright column at another place. */
function makeVolume(): Buffer {
  const voxels = new Float32Array(NX * NY * NZ).map((_, at) => {
    const [x, z] = [at % NX, Math.floor(at / (NX * NY))];
    return x === 2 * z ? 50 : at % 7;
  });
  const header = buildHeader({ nx: NX, ny: NY, nz: NZ, mode: 2, ispg: 1, m: [NX, NY, NZ], cella: [192, 128, 40] });
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

test('preview: a volume is shown with its central section, other sections, and its statistics', async () => {
  const owner = under.newOwner();
  const file = await publish(owner.call, makeVolume(), { filename: 'volume.rec' });
  const page = await under.open(owner);
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/preview')) asked.push(new URL(request.url()).search);
  });
  await page.goto(`${under.server.url}/#files/${file.file_id}`);
  const picture = page.getByRole('img', { name: /^Section of volume\.rec, z 10$/ });
  await picture.waitFor();
  const widthOf = () => picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
  assert.equal(await widthOf(), NX);

  const slider = page.getByRole('slider', { name: 'Section' });
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  await page.getByRole('img', { name: 'Section of volume.rec, z 11' }).waitFor();
  await page.getByText('11 of 0 to 19').waitFor();
  await page.getByLabel('Across').selectOption('x');
  await page.getByRole('img', { name: 'Section of volume.rec, x 48' }).waitFor();
  await page.getByLabel(/^Show/).selectOption('Power spectrum');
  await page.getByRole('img', { name: 'Power spectrum of volume.rec' }).waitFor();
  assert.ok(
    asked.every((search) => search.includes('kind=')),
    asked.join(),
  );

  const table = page.getByRole('table', { name: 'Statistics of the voxels' });
  await table.getByRole('cell', { name: String((NX * NY * NZ).toLocaleString('en')) }).waitFor();
  await table.getByRole('cell', { name: '50', exact: true }).waitFor();
  await page.getByRole('img', { name: /^Histogram from 0 to 50/ }).waitFor();

  await page.setViewportSize({ width: 360, height: 800 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px too wide`);
});

test('link: a copied link downloads the file without a token, and gives access to nothing else', async () => {
  const owner = under.newOwner();
  const bytes = makeVolume();
  const file = await publish(owner.call, bytes, { filename: 'shared.rec' });
  const page = await under.open(owner, { options: { permissions: ['clipboard-read', 'clipboard-write'] } });
  await page.goto(`${under.server.url}/#files/${file.file_id}`);
  await page.getByRole('button', { name: 'Copy a link' }).click();
  await page.getByRole('button', { name: 'Link copied' }).waitFor();
  const url = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(await page.locator('.link code').innerText(), url);
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.equal(sha256Hex(new Uint8Array(await answer.arrayBuffer())), file.sha256);
  assert.equal((await fetch(url.replace('/content', ''))).status, 401);
});

test('header: shows what decided the kind, and no pixel size along z for images', async () => {
  const owner = under.newOwner();
  const size = [32, 32, 32] as const;
  const voxels = new Uint8Array(4 * 32 ** 3);
  const publishAs = async (filename: string, fields: object) => {
    const header = buildHeader({ nx: 32, ny: 32, nz: 32, mode: 2, ...fields });
    return await publish(owner.call, Buffer.concat([header, voxels]), { filename });
  };
  const volume = await publishAs('class001.mrc', { m: size, cella: [86.4, 86.4, 86.4] });
  const stack = await publishAs('tilts.mrc', { m: [32, 32, 1], cella: [86.4, 86.4, 110.7] });
  const page = await under.open(owner);
  const table = page.getByRole('table', { name: 'MRC header' });
  await page.goto(`${under.server.url}/#files/${volume.file_id}`);
  await table.getByText('Volume: the file is a cube of 32 voxels').waitFor();
  await table.getByRole('row', { name: /^Voxel size\s+2\.7 Å\/px$/ }).waitFor();
  await page.getByRole('img', { name: /^Section of class001\.mrc/ }).waitFor();
  await page.goto(`${under.server.url}/#files/${stack.file_id}`);
  await table.getByText('Stack: MZ is 1 and NZ is 32').waitFor();
  await table.getByRole('row', { name: /^Pixel size\s+2\.7 Å\/px$/ }).waitFor();
  await page.getByRole('img', { name: /^Montage of tilts\.mrc/ }).waitFor();
});

test('preview: a file that is not MRC has no preview and no statistics', async () => {
  const owner = under.newOwner();
  const file = await publish(owner.call, Buffer.from('not an MRC file'), { filename: 'forced.mrc', force: true });
  const page = await under.open(owner);
  await page.goto(`${under.server.url}/#files/${file.file_id}`);
  await page.getByRole('heading', { name: 'forced.mrc' }).waitFor();
  assert.equal(await page.getByRole('slider').count(), 0);
  assert.equal(await page.getByText('Statistics of the voxels').count(), 0);
});
