/** The view of administrators. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ScrubReport } from '@cryolift/protocol/messages';
import { makeMrc } from '../../contract/sample.ts';
import { complete, eventually, openSample, publish, put, putAll } from '../../contract/upload.ts';
import { callWith } from '../../contract/wire.ts';
import { assertAccessible } from '../accessible.ts';
import { PageUnderTest } from '../page-under-test.ts';

// Nothing listens on port 9 of this machine.
const under = await PageUnderTest.start({ CRYOLIFT_WEBHOOK_URL: 'http://127.0.0.1:9/' });
after(() => under.discard());
const rootToken = under.server.token({ sub: 'root', scope: 'admin' });
const root = callWith(under.server, { authorization: `Bearer ${rootToken}` });

test('admin: owners, uploads under way, failures, space, webhook and scrub are shown', async () => {
  const [ada, bob] = [under.newOwner({ sub: 'ada' }), under.newOwner({ sub: 'bob' })];
  const lost = await publish(ada.call, makeMrc(30_000), { filename: 'lost.mrc' });
  await publish(ada.call, makeMrc(20_000), { filename: 'kept.mrc' });
  const { upload, bytes } = await openSample(bob.call, 3, { filename: 'arriving.mrc' });
  await put(bob.call, upload, 0, bytes);
  const failing = await openSample(bob.call, 1, { filename: 'failing.mrc', sha256: 'ab'.repeat(32) });
  await putAll(bob.call, failing.upload, failing.bytes);
  await complete(bob.call, failing.upload);
  await rm(join(under.server.dataDir, 'files', lost.file_id, 'lost.mrc'));
  await root('POST', '/admin/scrub', { json: {} });
  await eventually(
    async () => (await root('GET', '/admin/scrub')).json<ScrubReport>(),
    ({ status }) => status === 'done',
  );

  const page = await under.open({ token: rootToken });
  await page.getByRole('link', { name: 'Facility' }).click();
  await page.getByRole('heading', { name: 'Facility', level: 1 }).waitFor();
  const row = (section: string, text: RegExp) =>
    page.getByRole('region', { name: section }).first().getByRole('row', { name: text });
  await row('Owners', /^ada 48\.8 KiB 2 0 /).waitFor();
  await row('Owners', /^bob 0 B 0 1 –$/).waitFor();
  await row('Receiving now', /^arriving\.mrc bob /).waitFor();
  await row('Failures of the last 24 hours', /^failing\.mrc bob .*\(file_checksum_mismatch\) /).waitFor();
  await row('Events that the webhook has not accepted', /cryolift\.upload\.\w+ Sent again/)
    .first()
    .waitFor();
  await page.getByText(/^Last failure: cryolift\./).waitFor();
  await row('Scrub', new RegExp(`^${lost.file_id} Missing`)).waitFor();
  await page.getByText(/ free$/).waitFor();
  await page.getByLabel('Order of the owners').selectOption('By name');
  await row('Owners', /^ada /).waitFor();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 360, height: 740 });
    await assertAccessible(page, `the facility, narrow, ${colorScheme}`);
  }
});

test('admin: nobody else has the view in the navigation, and its address shows the refusal of the server', async () => {
  const page = await under.open(under.newOwner());
  await page.getByRole('link', { name: 'Files' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Facility' }).count(), 0);
  await page.goto(`${under.server.url}/#admin`);
  await page.getByText('The token lacks the scope admin').waitFor();
});
