/** A session in a dataset, and the views of datasets. */
import assert from 'node:assert/strict';
import { buildHeader } from '@cryolift/mrc';
import type { DatasetCheck, DatasetRecord, FileRecord } from '@cryolift/protocol/messages';
import type { Page } from 'playwright-core';
import { makeDataset } from '../../contract/datasets/calls.ts';
import { eventually, publish } from '../../contract/upload.ts';
import type { Owner, PageUnderTest, Visit } from '../page-under-test.ts';

let fill = 0;

/** A movie of three frames of 30 × 20 voxels; no two have the same bytes. */
export function makeMovie(nx = 30, ny = 20, nz = 3): Buffer {
  fill++;
  const voxels = Buffer.alloc(nx * ny * nz, fill % 200);
  voxels.writeUInt32LE(fill);
  return Buffer.concat([buildHeader({ nx, ny, nz, mode: 0, dmin: 0, dmax: 255, dmean: 1 }), voxels]);
}

/** @param path with its folders. */
export async function addFile(
  { call }: Owner,
  { dataset_id }: DatasetRecord,
  path: string,
  bytes = makeMovie(),
): Promise<FileRecord> {
  return await publish(call, bytes, { filename: path.split('/').at(-1) ?? '', dataset_id, metadata: { path } });
}

/** Waits until the server has read all files of a dataset. */
export async function waitUntilRead({ call }: Owner, { dataset_id }: DatasetRecord): Promise<DatasetCheck> {
  return await eventually(
    async () => (await call('GET', `/datasets/${dataset_id}/check`)).json<DatasetCheck>(),
    ({ counts }) => counts.unread === 0,
  );
}

/**
 * An open dataset of two movies, a third one whose size is wrong, one movie that its `.mdoc` file names and that is
 * missing, the path of the first movie twice, and a gain reference that is turned.
 */
export async function makeSession(owner: Owner, name = 'grid 7'): Promise<DatasetRecord> {
  const dataset = await makeDataset(owner.call, {
    name,
    project: 'P-118',
    instrument: 'Krios 2',
    fields: { sample: 'apoferritin' },
    expected_files: 8,
  });
  const announced = await owner.call('POST', `/datasets/${dataset.dataset_id}/expected`, {
    json: [{ path: 's/m1.mrc' }, { path: 's/m2.mrc' }, { path: 's/m3.mrc', size: 99 }],
  });
  assert.equal(announced.status, 200, announced.body.toString());
  const frames = ['m1.mrc', 'm2.mrc', 'm4.mrc'];
  const sections = frames.map(
    (each, at) => `[FrameSet = ${at}]\nTiltAngle = ${at}\nSubFramePath = D:\\x\\${each}\nNote = n${at}\n`,
  );
  await addFile(owner, dataset, 's/session.mdoc', Buffer.from(`Voltage = 300\n\n${sections.join('\n')}`));
  for (const path of ['s/m1.mrc', 's/m2.mrc', 's/m3.mrc', 's/m1.mrc']) await addFile(owner, dataset, path);
  await addFile(owner, dataset, 's/gain.mrc', makeMovie(20, 30, 1));
  await waitUntilRead(owner, dataset);
  return dataset;
}

/** Opens the page at an address. @param hash such as `#datasets`. */
export async function openAt(under: PageUnderTest, owner: Owner, hash: string, visit: Visit = {}): Promise<Page> {
  const page = await under.open(owner, visit);
  await page.goto(`${under.server.url}/${hash}`);
  return page;
}

/** The card of a figure, as text. */
export async function waitForFigure(page: Page, heading: string, value: string): Promise<void> {
  const card = page.locator('.figure', { has: page.getByRole('heading', { name: heading, exact: true }) });
  await card.locator('.figure-value', { hasText: new RegExp(`^${value}$`) }).waitFor();
}
