/** The page of a visitor with an upload link. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { UploadLink } from '@cryolift/protocol/messages';
import { makeMrc } from '../../contract/sample.ts';
import { listFiles, publish } from '../../contract/upload.ts';
import { assertAccessible } from '../accessible.ts';
import { drop, type Owner, PageUnderTest, uploadRow, writeMrc } from '../page-under-test.ts';

const under = await PageUnderTest.start();
after(() => under.discard());

async function makeLink({ call }: Owner, request: object): Promise<UploadLink> {
  return (await call('POST', '/links', { json: request })).json<UploadLink>();
}

const NARROW = { options: { viewport: { width: 360, height: 740 } } } as const;

test('visitor: sees whose link it is, what it is for, until when and what is left, and nothing of others', async () => {
  const owner = under.newOwner({ sub: 'ada.lovelace' });
  await publish(owner.call, makeMrc(20_000), { filename: 'secret.mrc' });
  const link = await makeLink(owner, {
    expires_in: 3600,
    max_files: 3,
    max_bytes: 64 * 1024 * 1024,
    note: 'Glacios 2, night 3',
  });
  const page = await under.open(link, NARROW);
  const asked = new Set<string>();
  page.on('request', (request) => asked.add(new URL(request.url()).pathname));
  await page.getByRole('heading', { name: 'Upload to ada.lovelace' }).waitFor();
  await page.getByText('Glacios 2, night 3').waitFor();
  await page.getByText('64.0 MiB, 3 files').waitFor();
  await page
    .getByText(/\(in (59|60) min\)|\(in 1 h 0 min\)/)
    .first()
    .waitFor();
  await page
    .getByText(/\.mrc .*, up to /)
    .first()
    .waitFor();
  assert.equal(await page.getByRole('navigation').count(), 0);
  await assertAccessible(page, 'a visitor, narrow');
  await drop(page, [writeMrc(under.folder, 'mine.mrc', 1)]);
  await uploadRow(page, 'mine.mrc', 'done').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Show file: mine.mrc' }).count(), 0);
  await page.getByText('56.0 MiB, 2 files').waitFor();
  // The views of an owner are not there by their addresses either.
  for (const hash of ['#files', '#activity', '#admin']) {
    await page.goto(`${under.server.url}/${hash}`);
    await page.getByRole('heading', { name: 'Upload to ada.lovelace' }).waitFor();
  }
  assert.equal(await page.getByText('secret.mrc').count(), 0);
  assert.deepEqual(
    [...asked].filter((path) => /^\/(files|events|admin)/.test(path)),
    [],
  );
  assert.equal((await listFiles(owner.call)).length, 2);
});

test('visitor: what does not fit into the link is refused before it is sent', async () => {
  const owner = under.newOwner();
  const link = await makeLink(owner, { max_files: 1 });
  const page = await under.open(link);
  await drop(page, [writeMrc(under.folder, 'fits.mrc', 1), writeMrc(under.folder, 'too-many.mrc', 1)]);
  await uploadRow(page, 'fits.mrc', 'done').waitFor();
  await uploadRow(page, 'too-many.mrc', 'refused').getByText('The quota has no room').waitFor();
  await page.getByText('Nothing is left of what this link allows').waitFor();
  assert.equal((await listFiles(owner.call)).length, 1);
});

test('visitor: a link that is revoked has ended, and a new one of the same owner is pasted', async () => {
  const owner = under.newOwner({ sub: 'grace.hopper' });
  const link = await makeLink(owner, {});
  const page = await under.open(link);
  await owner.call('DELETE', `/links/${link.link_id}`);
  await drop(page, [writeMrc(under.folder, 'late.mrc', 1)]);
  await page.getByRole('heading', { name: 'This link has ended' }).waitFor();
  await assertAccessible(page, 'a link that has ended');
  await page.getByText('Ask the owner for a new link').waitFor();
});

test('signed in: the header says who and until when, in local time and how long it is', async () => {
  const page = await under.open({ token: under.server.token({ sub: 'ada', ttlSeconds: 2 * 3600 + 30 }) });
  const subject = page.locator('.subject');
  await subject.getByText('Signed in as').waitFor();
  assert.match(await subject.innerText(), /^Signed in as ada\s+until .*\d\d:\d\d \(in 2 h 0 min\)$/);
  assert.match((await subject.getAttribute('title')) ?? '', /^Signed in as ada, until .*\d\d:\d\d/);
});
