/**
 * Takes the pictures of docs/screenshots: the main states of the page, light and dark, on a desktop and 360 pixels wide.
 * It starts a server of its own; run it when the page has changed: `node scripts/screenshots.mjs`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drop, PageUnderTest, throttle, uploadRow, waitForParts, writeMrc } from '../suites/browser/page-under-test.ts';
import { openSample, publish, put } from '../suites/contract/upload.ts';
import { makeVolume } from './sample-volume.mjs';

const FOLDER = fileURLToPath(new URL('../docs/screenshots', import.meta.url));
const SCREENS = [
  { name: 'desktop', viewport: { width: 1280, height: 800 } },
  { name: 'phone', viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 },
];
/** One for each round, so that nobody sees another round's files. */
const OPERATORS = ['a.weber', 'j.okafor', 'm.tanaka', 'l.moreau'];
const MIB = 1024 * 1024;
/** Upload rates, bytes per second. */
const FAST = 24 * MIB;
const SLOW = MIB;

mkdirSync(FOLDER, { recursive: true });
const under = await PageUnderTest.start();
const files = makeFiles();
try {
  for (const screen of SCREENS) for (const colorScheme of ['light', 'dark']) await takeAll(screen, colorScheme);
} finally {
  await under.discard();
}

/** What a session at a microscope leaves behind. */
function makeFiles() {
  const { folder } = under;
  const pixel = (angstroms, nx, ny, nz) => ({
    m: [nx, ny, 1],
    cella: [nx * angstroms, ny * angstroms, nz * angstroms],
  });
  return [
    writeMrc(folder, 'FoilHole_2071_fractions.mrc', 34, { nz: 34, ...pixel(0.83, 4096, 2048, 1) }),
    writeMrc(folder, 'TS_014.st', 41, { nz: 41, ...pixel(2.17, 4096, 2048, 1) }),
    writeMrc(folder, 'TS_013_tomogram.rec', 3, { nz: 3, ispg: 1, ...pixel(8.68, 4096, 2048, 1) }),
    writeMrc(folder, 'gain_reference.mrc', 2, { nz: 3 }),
  ];
}

async function fill(call) {
  const names = [
    'TS_012_tomogram.rec',
    'atlas_grid7.mrc',
    'FoilHole_2069_fractions.mrc',
    'particles_256.mrcs',
    'emd_mask.map',
  ];
  const shapes = [
    { nx: 96, ny: 92, nz: 39, mode: 2, ispg: 1 },
    { nx: 512, ny: 512, nz: 1, mode: 6 },
    { nx: 409, ny: 204, nz: 40, mode: 0 },
    { nx: 64, ny: 64, nz: 250, mode: 12 },
    { nx: 64, ny: 64, nz: 64, mode: 2, ispg: 1, map: '\0\0\0\0' },
  ];
  for (const [index, filename] of names.entries()) {
    const shape = shapes[index];
    const { nx, ny, nz } = shape;
    const bytes = makeVolume(
      {
        ...shape,
        cella: [nx * 6.8, ny * 6.8, nz * 6.8],
        m: [nx, ny, nz],
        label: ['Reconstructed with AreTomo 1.3.4', 'Titan Krios G4, Falcon 4i, 300 kV, 64,000 x'],
      },
      index,
    );
    await publish(call, bytes, { filename, metadata: { grid: '7', session: '2026-11-23 krios2' } });
  }
  const { upload, bytes } = await openSample(call, 6, { filename: 'TS_015.st' });
  for (const idx of [0, 1, 2, 4]) await put(call, upload, idx, bytes);
  await openSample(call, 9, { filename: 'TS_016.st' });
}

async function takeAll({ name, ...options }, colorScheme) {
  const owner = under.newOwner({ sub: OPERATORS.pop() });
  await fill(owner.call);
  const shots = {
    page: null,
    take: (state) => shots.page.screenshot({ path: join(FOLDER, `${state}-${name}-${colorScheme}.png`) }),
  };

  shots.page = await under.openProfile({ options: { ...options, colorScheme } });
  const { page } = shots;
  await page.goto(under.server.url);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await shots.take('sign-in');

  await page.goto(`${under.server.url}/#token=${owner.token}`);
  await page.getByText('Drop micrographs').waitFor();
  await shots.take('empty');

  const [frames, series] = [uploadRow(page, 'FoilHole_2071'), uploadRow(page, 'TS_014.st')];
  // At the slow rate no file ends before it is paused, however long a picture takes.
  await throttle(page, FAST);
  await drop(page, files);
  for (const row of [frames, series]) await waitForParts(row, 8);
  await throttle(page, SLOW);
  for (const row of [frames, series]) await row.getByRole('button', { name: 'Pause' }).click();
  for (const name of ['FoilHole_2071', 'TS_014.st']) await uploadRow(page, name, 'paused').waitFor();
  await throttle(page, FAST);
  await uploadRow(page, 'TS_013_tomogram.rec', 'done').waitFor();
  await series.getByRole('button', { name: 'Resume' }).click();
  await waitForParts(series, 36);
  await throttle(page, SLOW);
  await shots.take('uploading');
  await series.getByRole('button', { name: 'Pause' }).click();
  await uploadRow(page, 'TS_014.st', 'paused').waitFor();

  await page.reload();
  await uploadRow(page, 'TS_014.st', 'interrupted').waitFor();
  await uploadRow(page, 'FoilHole_2071', 'interrupted').waitFor();
  await shots.take('interrupted');

  await page.getByRole('navigation').getByRole('link', { name: 'Activity' }).click();
  await page.locator('li.activity').first().waitFor();
  await shots.take('activity');

  await page.getByRole('navigation').getByRole('link', { name: 'Files' }).click();
  const file = page.getByRole('link', { name: /TS_012/ });
  await file.waitFor();
  if (name === 'phone') await shots.take('files');
  await file.click();
  await page.getByRole('article').waitFor();
  await shots.take('file');
  await page.context().close();
}
